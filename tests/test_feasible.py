"""Rows that a dataset cannot train are told before the first training, and without any."""

import pytest
from factories import small_faces
from run_factories import no_training

from fercore import parameters, runs
from fercore.ablation import Ablation
from fercore.faces.faceset import FaceSetError
from fercore.faces.protocols import SEVEN
from fercore.feasible import infeasible
from fercore.papers import unpaired
from fercore.train import main

NO_PAIRS = "learns from pairs of one face, of ckplus only visible images are taken"


@pytest.fixture(autouse=True)
def untrained(prepared_faces, monkeypatch):
    monkeypatch.setattr(runs, "fit", no_training)


@pytest.fixture
def trained(monkeypatch):
    """The rows that would be trained."""
    found = []
    monkeypatch.setattr(Ablation, "train", lambda self, device: found.extend(self.variants))
    return found


def asked(words: str) -> int:
    return main([*words.split(), "--tier", "smoke", "--source", "prepared"])


def test_rows_that_need_pairs_are_left_out_of_a_visible_dataset_in_one_line(trained, capsys):
    assert asked("unpaired ckplus") == 0
    assert trained == [row for row in unpaired.VARIANTS if row not in ("Wang", "Pan")]
    told = capsys.readouterr().out
    assert told.startswith(f"Left out: Wang, Pan (Wang {NO_PAIRS}") and told.count("\n") == 1


def test_a_row_that_is_named_is_refused_before_the_others_are_trained(trained, capsys):
    assert asked("unpaired ckplus --variants ResNet Pan") == 1
    told = capsys.readouterr().err
    assert told.startswith(f"Error: Pan {NO_PAIRS}") and told.count("\n") == 1 and trained == []


@pytest.fixture
def lonely(tmp_path, monkeypatch):
    """A data folder with one set, in which a person has no reference."""
    faces = small_faces(12, SEVEN, 5)
    faces.table["reference"] = faces.table["reference"].where(faces.table["subject"] != "S005", -1)
    faces.save(tmp_path / "data" / "prepared" / "ckplus")
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))


def test_without_references_of_all_people_the_baseline_alone_is_trained(trained, lonely, capsys):
    assert asked("gcnet ckplus") == 0
    assert trained == ["CNN"] and "need a reference (neutral) image of every person" in capsys.readouterr().out
    assert asked("gcnet ckplus --variants S1R1") == 1


def test_where_no_row_can_be_the_first_reason_is_an_error(trained, capsys):
    assert asked('idferm ckplus --protocol own --changes {"per_class":500}') == 1
    told = capsys.readouterr()
    assert "have fewer than 500 images to train on" in told.err and told.out == "" and trained == []


@pytest.mark.parametrize("rows", ["", "--variants ResNet adv"])
def test_networks_that_cannot_be_are_refused_before_others_are_trained(rows, trained, capsys):
    assert asked(f'occluded ckplus {rows} --changes {{"width":1}}') == 1
    assert "too small to judge" in capsys.readouterr().err and trained == []


@pytest.mark.parametrize("paper", parameters.papers())
def test_looking_ahead_trains_nothing_and_refuses_no_row_that_can_be(paper):
    rows = [row for row in parameters.names(f"fercore.papers.{paper}", "VARIANTS") if row not in ("Wang", "Pan")]
    assert infeasible(Ablation(paper, "ckplus", rows, folds=[0], tier="smoke", source="prepared").specs) == {}


def test_a_page_that_trains_its_rows_is_told_before_the_first(monkeypatch):
    started = []
    monkeypatch.setattr("fercore.ablation.get_or_train", lambda spec, device: started.append(spec))
    study = Ablation("unpaired", "ckplus", ["ResNet", "Pan"], folds=[0, 1], tier="smoke", source="prepared")
    with pytest.raises(FaceSetError, match=NO_PAIRS):
        study.train()
    assert started == []


def test_every_fold_is_looked_at_with_its_own_people(monkeypatch):
    tested = {}
    monkeypatch.setattr("fercore.feasible._check", lambda spec, _, division: tested.update({spec.fold: division.test}))
    infeasible(Ablation("unpaired", "ckplus", ["ResNet"], folds=[0, 1], tier="smoke", source="prepared").specs)
    assert not set(tested[0].rows) & set(tested[1].rows)
