"""What notebooks and trainings refuse before anything starts: one line, which names the parameter and what can be."""

import ast
import dataclasses
import importlib
import subprocess
import sys

import nbformat
import pytest

from fercore import known, parameters, paths
from fercore.parameters import ParameterError

NOTEBOOKS = sorted(str(file.relative_to(paths.notebooks())) for file in paths.notebooks().rglob("[!.]*.ipynb"))


def notebook(name):
    return nbformat.read(paths.notebooks() / f"{name.removesuffix('.ipynb')}.ipynb", as_version=4)


def refused(name, **given) -> str:
    """What the notebook ``name`` says to parameters that cannot be; "" where it takes them."""
    try:
        parameters.check_notebook(notebook(name), given)
    except ParameterError as problem:
        assert str(problem).startswith(tuple(given)) and "\n" not in str(problem)
        return str(problem)
    return ""


@pytest.mark.parametrize("tier", ["smoke", "twin"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_takes_its_defaults_at_every_tier(name, tier):
    given = {"tier": tier, "source": "twin", "dataset": "ckplus"}  # London is not prepared everywhere
    defaults = parameters.defaults_of(notebook(name))
    if defaults.get("source") != "prepared":
        del given["dataset"]
    assert refused(name, **{key: value for key, value in given.items() if key in defaults}) == ""


REPEATED = {
    "seeds": [0, 0], "folds": [1, 1], "variants": ["CNN", "S1R1", "CNN"], "datasets": ["ckplus", "oulu", "ckplus"],
    "left_out": [7, 7], "inner": [0, 0], "values": [0.5, 0.5], "papers": ["gcnet", "gcnet"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REPEATED.items(), ids=list(REPEATED))
def test_a_list_names_each_once_and_is_not_empty(name, value):
    defaults = {"dataset": "ckplus", name: value[:2] if value[0] != value[1] else value[:1]}
    parameters.check({}, defaults, "gcnet")
    with pytest.raises(ParameterError, match=rf"^{name} \[.*\] has {value[0]!r} more than once; valid: each once$"):
        parameters.check({name: value}, defaults, "gcnet")
    with pytest.raises(ParameterError, match=f"^{name} is an empty list; valid: one or more$"):
        parameters.check({name: []}, defaults, "gcnet")


@pytest.mark.parametrize("seed", [-1, 2**63, 10**30])
def test_seeds_are_those_that_a_table_can_keep(seed):
    for name, value in (("seed", seed), ("seeds", [0, seed])):
        with pytest.raises(ParameterError, match=f"^{name} {seed} is out of range; valid: 0 to 9223372036854775807$"):
            parameters.check({name: value}, {"seed": 0, "seeds": [0]}, "gcnet")
    parameters.check({"seed": 2**63 - 1, "seeds": [5, 2**63 - 1]}, {"seed": 0, "seeds": [0]}, "gcnet")


UNDER_HEADINGS = {
    "unpaired/table1_mahnob_mmse", "unpaired/table2_visible_databases", "unpaired/thermal_at_test",
    "occluded/table1_synthesized", "occluded/table3_fedro", "occluded/figure3_confusion_fedro",
    "idferm/figure13_confusions", "idferm/table3_ckplus7_mmi", "idferm/table5_pretraining",
}  # fmt: skip
OVER_ANY = {
    "idferm/disentanglement", "idferm/figure10_identity_distances", "idferm/figure5_normalised_faces",
    "idferm/figure9_ablation_of_generator", "idferm/table1_identity_errors", "occluded/teacher_precondition",
    "verdict/leakage_price",
}  # fmt: skip


def test_it_is_known_of_every_list_of_datasets_whether_headings_hang_on_it():
    listing = {name for name in NOTEBOOKS if "datasets" in parameters.defaults_of(notebook(name))}
    assert listing == {f"{name}.ipynb" for name in UNDER_HEADINGS | OVER_ANY}


@pytest.mark.parametrize("name", sorted(UNDER_HEADINGS))
def test_datasets_keep_the_places_of_their_headings(name):
    datasets = parameters.defaults_of(notebook(name))["datasets"]
    told = f"valid: {', '.join(datasets)}, in this order"
    for other in (datasets[::-1], datasets[:-1], [*datasets, "sfew"], ["sfew", *datasets[1:]]):
        assert told in refused(name, datasets=other)


@pytest.mark.parametrize("name", sorted(OVER_ANY))
def test_datasets_that_are_only_gone_through_are_free(name):
    assert refused(name, datasets=["oulu", "ckplus"]) == ""


def test_a_heading_stands_over_any_crop_of_its_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    for one in ("ckplus", "oulu-dark", "mmi-gcnet"):
        (tmp_path / "prepared" / one).mkdir(parents=True)
        (tmp_path / "prepared" / one / "faceset.json").write_text("{}")
    visible = "unpaired/table2_visible_databases"
    assert refused(visible, source="prepared", datasets=["ckplus", "oulu-dark", "mmi-gcnet"]) == ""
    assert "headings" in refused(visible, datasets=["ckplus", "mmi-gcnet", "oulu-dark"], source="prepared")


def test_peaks_of_a_list_take_their_own_protocol_and_whole_recordings_theirs(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    (tmp_path / "prepared" / "mmi-peaks").mkdir(parents=True)
    (tmp_path / "prepared" / "mmi-peaks" / "faceset.json").write_text("{}")
    peaks = {"source": "prepared", "dataset": "mmi-peaks"}
    for protocol in ("default", "mmi6peaks"):
        assert refused("gcnet/run_fold", **peaks, protocol=protocol) == ""
    told = refused("gcnet/run_fold", **peaks, protocol="mmi6")
    assert "valid: default, mmi6peaks, own, identities (dataset mmi-peaks)" in told
    assert "'mmi6peaks'" in refused("gcnet/run_fold", dataset="mmi", protocol="mmi6peaks")
    assert refused("gcnet/table4_mmi", **peaks, protocol="mmi6peaks") == ""


def test_a_set_is_not_joined_to_itself():
    assert refused("occluded/run_fold", dataset="rafdb+affectnet") == ""
    assert "joins a set to itself; valid: each once" in refused("occluded/run_fold", dataset="rafdb+affectnet+rafdb")


CHANGES = [
    ("gcnet", ["iterations", 9], "must be a dict of fields"),
    ("gcnet", {"iteration": 9}, "field 'iteration' is unknown; valid: image_size"),
    ("gcnet", {"METHOD": 9}, "is unknown"),
    ("gcnet", {3: 9}, "field 3 is unknown"),
    ("gcnet", {"iterations": "x"}, "iterations cannot be 'x'; valid: int, 1 or above"),
    ("gcnet", {"iterations": 2.5}, "valid: int, 1 or above"),
    ("gcnet", {"iterations": 0}, "valid: int, 1 or above"),
    ("gcnet", {"iterations": -3}, "valid: int, 1 or above"),
    ("gcnet", {"batch_size": True}, "valid: int, 1 or above"),
    ("gcnet", {"base_rate": "fast"}, "base_rate cannot be 'fast'; valid: float"),
    ("gcnet", {"base_rate": True}, "valid: float"),
    ("gcnet", {"base_rate": float("nan")}, "valid: float"),
    ("gcnet", {"base_rate": 10**400}, "valid: float"),
    ("gcnet", {"distance": 2}, "valid: str"),
    ("gcnet", {"distance": "l1"}, "distance 'l1' is unknown; valid: rms, l2"),
    ("gcnet", {"widths": 8}, "valid: tuple[int, ...], 1 or above"),
    ("gcnet", {"widths": [8, 0]}, "valid: tuple[int, ...], 1 or above"),
    ("gcnet", {"widths": []}, "valid: tuple[int, ...], 1 or above"),
    ("gcnet", {"twin_subjects": 0}, "valid: int | None, 1 or above"),
    ("gcnet", {"pretraining": "nowhere"}, 'pretraining \'nowhere\' is unknown; valid: "", own, ckplus'),
    ("unpaired", {"pretraining": "mmi"}, 'valid: "", own'),
    ("idferm", {"pretraining": "own"}, 'valid: "", multipie'),
    ("idferm", {"centres": "mean"}, "valid: batch, ema"),
    ("idferm", {"neutral_generated": 1}, "valid: bool"),
    ("occluded", {"occlusions": ["hats"]}, "occlusions 'hats' is unknown; valid: hands, food, drinks, realistic, R8"),
    ("occluded", {"occlusions": "food"}, "valid: tuple[str, ...]"),
    ("occluded", {"sizes": [["rafdb7", "88"]]}, "valid: tuple[tuple[str, int], ...]"),
    ("occluded", {"sizes": [["rafdb7"]]}, "valid: tuple[tuple[str, int], ...]"),
]


@pytest.mark.parametrize(("paper", "changes", "told"), CHANGES, ids=str)
def test_changes_that_no_configuration_takes_are_refused(paper, changes, told):
    with pytest.raises(ParameterError) as problem:
        parameters.check({}, {"changes": changes}, paper)
    assert str(problem.value).startswith("changes") and told in str(problem.value) and "\n" not in str(problem.value)


GOOD_CHANGES = [
    ("gcnet", {}),
    ("gcnet", {"iterations": 1, "base_rate": 1, "widths": (4, 8, 12), "twin_subjects": None, "pretraining": "vggface"}),
    ("gcnet", {"pretraining": "", "widths": [4, 8, 12], "twin_subjects": 3}),
    ("occluded", {"occlusions": ["R8", "eyes", "food", "realistic"], "sizes": [["rafdb7", 88]], "pretraining": "own"}),
    ("occluded", {"sizes": (), "weights": "random"}),
    ("idferm", {"neutral_generated": False, "centres": "ema", "pretraining": "multipie", "lambda_RML": 0}),
    ("unpaired", {"m": 7, "thermal": "own", "depth": [1, 1, 1, 1]}),
]


@pytest.mark.parametrize(("paper", "changes"), GOOD_CHANGES, ids=str)
def test_changes_that_a_configuration_takes_pass(paper, changes):
    parameters.check({}, {"changes": changes}, paper)
    module = importlib.import_module(f"fercore.papers.{paper}")
    dataclasses.replace(module.TIERS["twin"], **changes)


def test_pretraining_in_the_paper_tier_is_on_what_is_prepared(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    defaults = {"tier": "paper", "changes": {"pretraining": "vggface"}}
    with pytest.raises(ParameterError, match="pretraining 'vggface' is unknown; valid: \"\", own$"):
        parameters.check({}, defaults, "gcnet")
    (tmp_path / "prepared" / "vggface").mkdir(parents=True)
    (tmp_path / "prepared" / "vggface" / "faceset.json").write_text("{}")
    parameters.check({}, defaults, "gcnet")


def test_a_count_whose_default_is_zero_may_be_zero(monkeypatch):
    lines = ast.parse("warm_up: int = 0\niterations: int = 9").body
    monkeypatch.setattr(known, "fields", lambda paper: {line.target.id: line for line in lines})
    parameters.check({}, {"changes": {"warm_up": 0}}, "gcnet")
    for changes in ({"warm_up": -1}, {"iterations": 0}):
        with pytest.raises(ParameterError, match="cannot be"):
            parameters.check({}, {"changes": changes}, "gcnet")


def test_dicts_of_changes_are_checked_likewise():
    assert "lambda_9' is unknown" in refused("unpaired/figure2_alignment", strong={"lambda_9": 1.0})
    ambiguities = "verdict/ambiguities"
    assert "valid: gcnet, idferm, occluded, unpaired" in refused(ambiguities, shorter={"gcnett": {}})
    told = "shorter: gcnet: iterations cannot be 0; valid: int, 1 or above"
    assert refused(ambiguities, shorter={"idferm": {}, "gcnet": {"iterations": 0}}) == told
    generators = "idferm/figure9_ablation_of_generator"
    assert "arms: 'A': w1 cannot be 'no'" in refused(generators, arms={"A": {"w1": "no"}, "B": {}})
    assert "compares nothing" in refused(generators, arms={"A": {}})


@pytest.mark.parametrize("paper", known.papers())
def test_what_is_read_of_a_configuration_is_what_it_is(paper):
    config = importlib.import_module(f"fercore.papers.{paper}").Config
    assert list(known.fields(paper)) == [field.name for field in dataclasses.fields(config)]
    for name, values in known.choices(paper).items():
        assert getattr(config(), name) in values
        with pytest.raises(ValueError, match="valid: "):
            dataclasses.replace(config(), **{name: "none of these"})


def test_the_names_read_from_sources_are_those_of_the_modules():
    from fercore.faces import protocols
    from fercore.twins.occluders import OCCLUSIONS

    assert known.names("fercore.twins.occluders", "OCCLUSIONS") == list(OCCLUSIONS)
    ten = protocols.N_FOLDS
    otherwise = {p.dataset for p in protocols.PROTOCOLS.values() if p.official or p.folds != ten}
    assert known.divided_otherwise() == otherwise
    assert known.choices("idferm")["centres"] == ("batch", "ema")
    for paper in known.papers():
        for table in ("VARIANTS", "PRETRAINING"):
            module = f"fercore.papers.{paper}"
            assert known.names(module, table) == list(getattr(importlib.import_module(module), table))


def test_checking_changes_needs_no_torch():
    code = (
        "import sys; from fercore import parameters as p;"
        "c = {'occlusions': ['eyes'], 'iterations': 3}; p.check({}, {'changes': c, 'seeds': [1]}, 'occluded');"
        "p.check({}, {'changes': {'pretraining': 'mmi'}, 'dataset': 'ckplus', 'folds': [3]}, 'gcnet');"
        "assert not {'torch', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=paths.ROOT)


@pytest.mark.parametrize("dataset", ["rafdb", "affectnet", "rafdb+affectnet", "fedro", "sfew"])
def test_an_official_division_has_one_fold(dataset):
    for name in ("occluded/run_fold", "occluded/folds_summary"):
        chosen, value = ("fold", 5) if "run" in name else ("folds", [0, 5])
        assert refused(name, **{chosen: value}, dataset=dataset) == f"{chosen} 5 is out of range; valid: 0"
    assert refused("occluded/run_fold", dataset=dataset, protocol="own", fold=5) == ""
    assert refused("occluded/run_fold", dataset=dataset, protocol="identities", fold=5).endswith("valid: 0")


def test_folds_are_of_the_set_that_is_cut_into_them():
    alignment = "unpaired/figure2_alignment"
    assert refused(alignment, folds=[10]) == "folds 10 is out of range; valid: 0 to 9"  # of MMSE, not of MAHNOB
    assert refused(alignment, left_out=[22]) == "left_out 22 is out of range; valid: 0 to 21"
    assert refused("unpaired/choices", dataset="mmse", protocol="mmse4", left_out=[0, 9]) == ""
    told = "left_out 10 is out of range; valid: 0 to 9"
    assert refused("unpaired/choices", left_out=[10], dataset="mmse", protocol="mmse4") == told


def test_a_list_or_dict_as_text_is_told_how_papermill_takes_it():
    told = "folds must be a list, not the text '[0, 1]'; with papermill give -y '{folds: [0]}'"
    assert refused("gcnet/table2_ckplus7", folds="[0, 1]") == told
    assert "-y '{variants: [\"CNN\", \"S0R0\"" in refused("gcnet/table2_ckplus7", variants="['CNN']")
    assert "must be a dict" in refused("idferm/choices", changes='{"iterations": 9}')
    assert "must be of type int" in refused("gcnet/run_fold", fold="../1")  # a type before a name


def test_the_text_that_is_told_is_what_yaml_reads():
    import yaml

    told = refused("gcnet/real_faces_london", changes="{}")
    given = yaml.safe_load(told.partition("-y '")[2].removesuffix("'"))
    assert given == {"changes": parameters.defaults_of(notebook("gcnet/real_faces_london"))["changes"]}


@pytest.mark.parametrize("name", ["gcnet/run_fold", "idferm/table3_ckplus7_mmi", "verdict/leakage_price"])
def test_a_misspelt_source_makes_no_dataset_unknown(name):
    assert refused(name, source="twins") == "source 'twins' is unknown; valid: twin, prepared"


OTHERS = [
    ("unpaired/figure2_alignment", "other", "nowhere", "other 'nowhere' is unknown; valid: ckplus"),
    ("unpaired/figure2_alignment", "other", "mmse+mmse", "joins a set to itself"),
    ("verdict/ambiguities", "papers", ["gcnet", "ours"], "papers 'ours' is unknown; valid: gcnet, idferm"),
    ("idferm/table2_training_time", "inner", 10, "valid: 0 to 9"),
    ("idferm/table2_training_time", "inner", -1, "valid: 0 to 9"),
    ("idferm/table2_training_time", "share", 1.5, "valid: 0 to 1"),
    ("idferm/table2_training_time", "share", float("inf"), "finite"),
    ("idferm/table2_training_time", "every", 0, "every 0 is out of range; valid: 1 or above"),
    ("unpaired/loss_weights", "inner", [0, 10], "inner 10 is out of range; valid: 0 to 9"),
    ("unpaired/loss_weights", "label_weights", [], "label_weights is an empty list"),
    ("occluded/table4_speed", "rounds", 0, "valid: 1 or above"),
    ("occluded/table4_speed", "batch", -8, "valid: 1 or above"),
    ("occluded/figure2_occlusions", "people", 0, "valid: 1 or above"),
    ("occluded/figure2_occlusions", "image_size", 31, "valid: 32 or above"),
    ("occluded/teacher_precondition", "weight", 1.0, "valid: above 0 and below 1"),
    ("explore_synthetic_faces", "size", -1, "valid: 32 or above"),
    ("idferm/figure3_failing_losses", "digits", -1, "valid: 0 or above"),
    ("verdict/protocol_forensics", "level", 0.0, "valid: above 0 and below 1"),
    ("verdict/protocol_forensics", "level", 1, "valid: above 0 and below 1"),
    ("verdict/protocol_forensics", "level", float("nan"), "finite"),
    ("idferm/figure11_lambda", "values", [], "values is an empty list"),
    ("idferm/figure11_lambda", "values", [0.5, float("nan")], "finite"),
    ("verdict/claims", "paper", "none", "paper 'none' is unknown; valid: gcnet, idferm, occluded, unpaired"),
]


@pytest.mark.parametrize(("name", "parameter", "value", "told"), OTHERS, ids=str)
def test_other_parameters_are_checked_too(name, parameter, value, told):
    assert told in refused(name, **{parameter: value})


UNLIMITED = {"every_database", "in_use", "sim_weights", "lir_weights", "adv_weights", "rec_weights", "feature_weights",
             "label_weights", "decoder_weights", "weights", "values"}  # fmt: skip


def test_every_parameter_of_every_notebook_has_a_check():
    for name in NOTEBOOKS:
        unchecked = set(parameters.defaults_of(notebook(name))) - set(parameters.CHECKS)
        assert unchecked <= UNLIMITED, name
