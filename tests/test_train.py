"""Training from the command line: what is asked for is trained; what cannot be is refused in one line."""

import subprocess
import sys

import pytest

from fercore import parameters, paths, runs
from fercore.ablation import Ablation
from fercore.papers.gcnet import VARIANTS
from fercore.runs import RunSpec
from fercore.train import main


@pytest.fixture
def asked(monkeypatch):
    """The runs that would be trained, each with its device."""
    found = []
    monkeypatch.setattr("fercore.feasible.infeasible", lambda specs: {})  # test_feasible asks it
    monkeypatch.setattr(Ablation, "train", lambda self, device: found.extend((s, device) for s in self.specs))
    monkeypatch.setattr(runs, "get_or_train", lambda spec, device: found.append((spec, device)))
    return found


def test_what_is_asked_for_is_trained(asked):
    words = "gcnet ckplus --protocol ckplus8 --fold 3 --variants CNN S1R1 --tier smoke --seed 5 --device cpu"
    assert main(words.split()) == 0
    assert asked == [
        (RunSpec("gcnet", variant, "ckplus", "ckplus8", 3, "smoke", "twin", 5), "cpu") for variant in ("CNN", "S1R1")
    ]


def test_without_options_it_is_every_row_on_the_first_fold_of_the_papers_protocol(asked):
    assert main(["gcnet", "mmi"]) == 0
    assert asked == [(RunSpec("gcnet", variant, "mmi", "mmi6", 0), "cpu") for variant in VARIANTS]


@pytest.mark.parametrize("stage", ["reconstruction", "identification"])
def test_pretraining_is_the_one_that_every_fold_of_every_dataset_takes(stage, asked):
    """One job pre-trains for all: otherwise each fold would do it again, unseen by the workflow."""
    assert main(["gcnet", "ckplus", "--tier", "smoke", "--pretraining", stage]) == 0
    runs.pretrain(RunSpec("gcnet", "S1R1", "oulu", "oulu6", 7, "smoke"), stage)
    (ours, _), (needed, _) = asked
    assert ours.folder == needed.folder and ours.variant == stage


@pytest.mark.parametrize(
    ("words", "stage", "spec"),
    [
        ("occluded rafdb", "clean", RunSpec("occluded", "Ours", "rafdb", "rafdb7", 0, "smoke")),
        ("occluded ckplus --fold 3", "clean", RunSpec("occluded", "Ours", "ckplus", "ckplus636", 3, "smoke")),
        ("unpaired mmse --fold 2", "thermal", RunSpec("unpaired", "Ours", "mmse", "mmse4", 2, "smoke")),
        ("idferm ckplus --variants IDFERM", "multipie", RunSpec("idferm", "IDFERM", "ckplus", "ckplus7", 0, "smoke")),
        (
            'gcnet ckplus --fold 4 --protocol ckplus8 --changes {"pretraining":"own"}', "identification",
            RunSpec("gcnet", "S1R1", "ckplus", "ckplus8", 4, "smoke", changes=(("pretraining", "own"),)),
        ),
    ],
)  # fmt: skip
def test_pretraining_is_the_one_that_a_row_of_this_protocol_fold_and_configuration_takes(words, stage, spec, asked):
    assert main([*words.split(), "--tier", "smoke", "--pretraining", stage]) == 0
    assert [made.folder for made, _ in asked] == [runs.pretraining_of(spec, stage).folder]


def test_pretraining_by_a_row_s_own_loss_is_done_for_every_row_that_is_named(asked):
    assert main("idferm ckplus --tier smoke --variants triplet IDFERM --pretraining multipie".split()) == 0
    assert [spec.variant for spec, _ in asked] == ["triplet", "IDFERM"]


def test_changes_of_the_configuration_are_the_run_s_own(asked):
    words = ["occluded", "ckplus", "--variants", "sim", "--changes", '{"occlusions": ["eyes"], "lambda_1": 0.5}']
    assert main(words) == 0
    ((spec, _),) = asked
    assert (spec.protocol, spec.config.lambda_1, list(spec.config.occlusions)) == ("ckplus636", 0.5, ["eyes"])


def test_impossible_changes_are_told_in_one_line(capsys):
    """A value that only the configuration itself knows to be impossible."""
    assert main([*"idferm ckplus --tier smoke --variants softmax --changes".split(), '{"per_class": 1}']) == 1
    error = capsys.readouterr().err
    assert "per_class: at least 2" in error and error.count("\n") == 1


@pytest.mark.parametrize("paper", parameters.papers())
def test_ranges_that_no_image_can_be_changed_by_are_told_before_anything_is_trained(paper, capsys, monkeypatch):
    monkeypatch.setattr(runs, "begin", lambda *any: pytest.fail("started"))
    assert main([paper, *"ckplus --tier smoke --changes".split(), '{"scale": 1.5}']) == 1
    assert capsys.readouterr().err == "Error: scale 1.5 is out of range; valid: 0 or above and below 1\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ("{bad", "changes '{bad' is not a JSON object; valid: such as '{\"iterations\": 300}'"),
        ("[1]", "changes [1] is not a JSON object"),
        ('"text"', "changes 'text' is not a JSON object"),
        ('{"lambda_9": 1}', "changes: field 'lambda_9' is unknown; valid: image_size"),
        ('{"iterations": 2.5}', "changes: iterations cannot be 2.5; valid: int, 1 or above"),
        ('{"iterations": 0}', "changes: iterations cannot be 0"),
        ('{"base_rate": NaN}', "changes: base_rate cannot be nan"),
        ('{"LIR": "up"}', "changes: LIR 'up' is unknown; valid: printed, flipped"),
        ('{"occlusions": ["hat"]}', "changes: occlusions 'hat' is unknown"),
    ],
)
def test_changes_are_checked_before_anything_is_trained(changes, told, asked, capsys):
    assert main(["occluded", "ckplus", "--tier", "smoke", "--variants", "LIR", "--changes", changes]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {told}") and error.count("\n") == 1 and asked == []


BAD = {
    "dataset": "gcnet nowhere", "variant": "gcnet ckplus --variants S9R9", "fold": "gcnet ckplus --fold 10",
    "tier": "gcnet ckplus --tier huge", "source": "gcnet ckplus --source internet", "seed": "gcnet ckplus --seed -1",
    "huge seed": f"gcnet ckplus --seed {2**63}", "official division": "occluded rafdb --fold 5",
    "joined to itself": "gcnet ckplus+ckplus",
    "protocol": "gcnet ckplus --protocol mmi6", "device": "gcnet ckplus --device toaster",
    "repetition": "gcnet ckplus --variants CNN CNN", "dataset not prepared": "gcnet ckplus --source prepared",
    "paper": "nopaper ckplus", "stage": "gcnet ckplus --pretraining nostage", "way out": "gcnet ../ckplus",
    "stage left out": 'gcnet ckplus --pretraining identification --changes {"pretraining":""}',
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_value_is_refused_in_one_line_with_exit_2(case, asked, capsys):
    assert main(BAD[case].split()) == 2
    told = capsys.readouterr()
    assert told.err.startswith("Error: ") and told.err.count("\n") == 1 and told.out == ""
    assert asked == []


def test_data_that_are_missing_are_told_in_one_line(capsys, monkeypatch, tmp_path):
    """The paper tier pre-trains on a licensed set; without it there is a way out to name, not a traceback."""
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    assert main("gcnet ckplus --tier paper --pretraining reconstruction".split()) != 0
    told = capsys.readouterr().err
    assert "casia_webface is not prepared" in told and told.count("\n") == 1


def test_process_ends_with_the_code():
    command = [sys.executable, "-m", "fercore.train", "gcnet", "ckplus", "--tier", "huge"]
    ended = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "Error: tier 'huge' is unknown; valid: smoke, twin, paper\n")
