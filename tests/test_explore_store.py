"""The list of finished runs: what is one, what is passed over and counted, what a look begins with."""

import json
from dataclasses import asdict, replace

import pytest
from run_factories import beside_spec, covered_spec, generated_spec, spec

from fercore import parameters, paths, published
from fercore.explore import showcase, store
from fercore.runs import RunSpec, find


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))


def placed(one: RunSpec, predictions: bool = True, **other):
    """A folder that says of itself to be a finished run."""
    data = {"credit": "nobody", "fingerprint": "0", "name": one.dataset, "source": one.source}
    about = {"spec": asdict(one), "classes": ["a", "b"], "commit": "0", "source_digest": "old", "data": data} | other
    one.folder.mkdir(parents=True)
    (one.folder / "run.json").write_text(json.dumps(about))
    if predictions:
        (one.folder / "predictions.parquet").touch()
    return one


def test_finished_runs_are_found_again_as_they_were_asked_for():
    asked = [spec("S1R1", 3), covered_spec(K1=2), beside_spec(inner=1), generated_spec(pretraining="")]
    for one in asked:
        placed(one)
    runs = store.finished().runs
    assert {run.spec.folder for run in runs} == {one.folder for one in asked}
    assert all(find(run.spec) is not None and run.stale for run in runs)
    assert {run.spec.config for run in runs} == {one.config for one in asked}


def test_an_empty_store_holds_nothing_and_says_so():
    held = store.finished()
    assert held.runs == () and len(held.overview()) == 0 and held.note.startswith("0 finished runs")
    (told,) = showcase.one(held, "gcnet", "ckplus", "S1R1", 0, "twin", "twin")
    assert "`python -m fercore.train gcnet ckplus --fold 0 --variants S1R1 --tier twin --source twin`" in told.data
    others = [one.data for one in showcase.others(held, "gcnet", "twin", "twin")]
    assert len(others) == 6 and sum("make reproduce PAPER=unpaired" in text for text in others) == 1


def test_stages_of_pretraining_are_counted_apart():
    own = generated_spec("IDFERM", dataset="multipie")
    for one in (spec("identification"), replace(own, protocol="multipie4"), generated_spec("HNG")):
        placed(one)
    held = store.finished()
    assert (held.runs, held.stages, held.skipped) == ((), 3, {})


def broken(file, how):
    about = json.loads(file.read_text())
    match how:
        case "no file":
            file.unlink()
        case "no json":
            file.write_text("{")
        case "deep":
            file.write_text("[" * 100_000)
        case "a list":
            file.write_text("[]")
        case "large":
            file.write_text(json.dumps(about) + " " * store.MOST_BYTES)
        case "a link":
            file.rename(file.with_name("elsewhere"))
            file.symlink_to(file.with_name("elsewhere"))
        case "moved":
            file.parent.rename(file.parent.with_name("renamed"))
        case "no commit":
            del about["commit"]
            file.write_text(json.dumps(about))
        case _:
            name, value = how
            about["spec"][name] = value
            file.write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("no file", "without run.json"),
        ("no json", "with an unreadable run.json"),
        ("deep", "with an unreadable run.json"),
        ("a list", "with an unreadable run.json"),
        ("large", "with an oversized run.json"),
        ("a link", "without run.json"),
        ("moved", "with settings that today's code does not have"),
        ("no commit", "of an unknown specification"),
        (("paper", "os"), "of an unknown specification"),
        (("paper", ["gcnet"]), "of an unknown specification"),
        (("paper", "../../elsewhere"), "of an unknown specification"),
        (("protocol", "none"), "of an unknown specification"),
        (("variant", "S9"), "of an unknown specification"),
        (("tier", "huge"), "of an unknown specification"),
        (("changes", [["no_field", 1]]), "of an unknown specification"),
        (("changes", 3), "of an unknown specification"),
        (("surplus", 1), "of an unknown specification"),
        (("seed", 5), "with settings that today's code does not have"),
        (("dataset", "../../../gcnet/ckplus"), "with settings that today's code does not have"),
    ],
)
def test_what_is_no_run_is_passed_over_and_counted(how, why):
    good, bad = placed(spec("CNN")), placed(spec("S1R1"))
    broken(bad.folder / "run.json", how)
    held = store.finished()
    assert [run.spec.variant for run in held.runs] == [good.variant] and held.skipped == {why: 1}
    assert f"1 folders passed over: 1 {why}" in held.note


def test_what_is_being_made_and_locks_are_no_runs_and_are_not_counted():
    folder = placed(spec("CNN")).folder
    folder.rename(folder.with_name(f".{folder.name}.partial"))
    (folder.parent / f".{folder.name}.lock").touch()
    assert store.finished() == store.Store((), 0, {})


def test_a_run_without_predictions_is_counted():
    placed(spec("CNN"), predictions=False)
    assert store.finished().skipped == {"without predictions": 1}


def test_the_plainest_run_comes_first():
    for one in (spec("CNN", 1), spec("CNN", 0, margin=2.0), spec("CNN", 0)):
        placed(one)
    found = [(run.spec.fold, len(run.spec.changes)) for run in store.finished().of(variant="CNN")]
    assert found == [(0, 5), (1, 5), (0, 6)]


def test_every_paper_has_a_row_to_begin_with():
    assert set(store.HOME) == set(published.NAMES) == set(parameters.papers())
    for paper, (dataset, protocol, variant) in store.HOME.items():
        assert RunSpec(paper, variant, dataset, protocol, 0, "smoke").folder.is_relative_to(paths.results())


def test_a_paper_without_its_first_database_begins_with_another_and_never_with_an_inner_run():
    placed(RunSpec("gcnet", "S1R1", "mmi", "mmi6", 0, "smoke"))
    placed(RunSpec("gcnet", "S1R1", "ckplus", "ckplus7", 0, "smoke", inner=0))
    held = store.finished()
    assert showcase.at_home(held, "gcnet", "smoke", "twin").spec.dataset == "mmi"
    assert showcase.at_home(held, "gcnet", "twin", "twin") is None
    assert showcase.at_home(held, "idferm", "smoke", "twin") is None


def test_the_overview_counts_runs_and_stale_ones():
    for one in (spec("CNN"), spec("CNN", 1), spec("S1R1")):
        placed(one)
    (row,) = store.finished().overview().to_dict("records")
    assert (row["paper"], row["rows"], row["runs"], row["stale"]) == ("gcnet", "CNN, S1R1", 3, 3)
