"""What the papers leave unstated: the list against the configurations, effects on small runs, how they are shown."""

import csv
import dataclasses
import importlib
import inspect
import re
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from fercore import ambiguities, figures, parameters, tables
from fercore.figures.ambiguities import COLOURS

PAPERS = ("gcnet", "occluded", "unpaired", "idferm")
LISTED = ambiguities.choices()
FIELDS = [row for row in LISTED.itertuples() if row.field]
NAMED = [f"{row.paper}-{row.field}" for row in FIELDS]


def module(paper):
    return importlib.import_module(f"fercore.papers.{paper}")


def test_all_four_papers_are_in_the_list_and_no_choice_twice():
    assert set(LISTED["paper"]) == set(PAPERS) == set(parameters.papers())
    assert not LISTED.duplicated(["paper", "choice"]).any()
    assert len(NAMED) == len(set(NAMED)), "a field in two rows"
    words = ["choice", "place", "not_stated", "alternatives", "why"]
    assert (LISTED[words].map(str.strip) != "").all(axis=None)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_line_of_a_configuration_that_says_not_stated_is_in_the_list(paper):
    lines = inspect.getsource(module(paper).Config).splitlines()
    unstated = {m[1] for line in lines if (m := re.match(r"    (\w+): .*#.*\bnot (stated|told)\b", line))}
    assert len(unstated) >= 8  # else the pattern no longer reads the configurations
    assert unstated <= set(ambiguities.choices(paper)["field"])


@pytest.mark.parametrize("row", FIELDS, ids=NAMED)
def test_the_default_is_the_configurations_and_every_other_value_fits(row):
    default = getattr(module(row.paper).Config(), row.field)
    assert (tuple(row.default) if isinstance(row.default, list) else row.default) == default
    for value in row.values:
        assert default is None or type(value) is type(default)
        for tier in ("twin", "smoke"):
            changed = dataclasses.replace(module(row.paper).TIERS[tier], **{row.field: value})
            assert getattr(changed, row.field) == value


def test_what_is_measured_has_an_arm_on_the_twin_and_a_known_row():
    for group in ambiguities.groups(PAPERS, "twin", "twin", [0], [0, 7], [0], {}):
        assert group.base.variants[0] in module(group.base.paper).VARIANTS
        named = {field for change in group.alternatives.values() for field in change}
        assert named == set(group.choices["field"])
        assert all(len(change) == 1 for change in group.alternatives.values())


def test_folds_and_changes_go_to_the_studies_they_are_for():
    shorter = {"gcnet": {"pretraining": "", "iterations": 9}}
    found = ambiguities.groups(PAPERS, "twin", "twin", [3], [0, 7], [1], shorter)
    by_name = {group.name: group.base for group in found}
    assert by_name["gcnet, short"].changes == (("pretraining", ""), ("iterations", 9))
    assert by_name["gcnet, table"].changes == by_name["idferm, short"].changes == ()
    assert by_name["unpaired, table"].folds == (0, 7) and by_name["occluded, table"].folds == (3,)
    assert {base.seeds for base in by_name.values()} == {(1,)}


GOOD = {
    "paper": "unpaired", "choice": "weight", "place": "Eq. 6", "not_stated": "x", "default": '"entropy"',
    "alternatives": "y", "why": "z", "field": "attention", "values": '["constant", "entropy"]', "variant": "Ours",
    "dataset": "mmse", "protocol": "mmse4", "study": "table", "unmeasured": "",
}  # fmt: skip


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a list of one row, ``GOOD`` with changes, in the place of the real one."""
    monkeypatch.setattr("fercore.paths.published", lambda: tmp_path)

    def write(**changes):
        row = GOOD | changes
        with (tmp_path / "ambiguities.csv").open("w", newline="") as file:
            csv.writer(file).writerows([row.keys(), row.values()])

    return write


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"paper": "unpaird"}, "line 2.*unknown paper; valid: gcnet"),
        ({"field": "atention"}, "line 2.*no field 'atention'; valid: .*attention"),
        ({"study": "long"}, "give the study"),
        ({"unmeasured": "too long"}, "or else why none does"),
        ({"study": ""}, "or else why none does"),
        ({"values": "constant"}, "JSON list"),
        ({"values": "[]"}, "JSON list"),
        ({"protocol": "mmse5"}, "known protocol"),
        ({"field": ""}, "needs a field"),
        ({"surplus": "1"}, "columns"),
    ],
)
def test_a_row_that_cannot_be_is_refused(written, changes, said):
    written(**changes)
    with pytest.raises(ValueError, match=said):
        ambiguities.choices()


def test_an_unknown_paper_is_refused():
    with pytest.raises(ValueError, match="'vgg' is unknown; valid: gcnet"):
        ambiguities.groups(["vgg"], "twin", "twin", [0], [0], [0], {})


@pytest.fixture
def group(written, unpaired_study):
    written()
    return ambiguities.Group(replace(unpaired_study, variants=("Ours",)), ambiguities.choices())


def test_an_effect_is_the_paired_difference_on_the_same_images(group):
    assert group.alternatives == {"weight: entropy → constant": {"attention": "constant"}}  # none for what is in use
    (row,) = ambiguities.effects([group]).to_dict("records")
    changed = replace(group.base, changes=dict(group.base.changes) | {"attention": "constant"})
    right = [p["label"].eq(p["predicted"]).sum() for p in (changed.predictions("Ours"), group.base.predictions("Ours"))]
    images = len(group.base.predictions("Ours"))
    assert row["effect"] == pytest.approx(100 * (right[0] - right[1]) / images) and row["images"] == images
    assert row["low"] <= row["effect"] <= row["high"]
    assert row["run"] == ", ".join(run.spec.folder.name for run in changed.runs())
    assert group.base.runs()[0].spec.folder.name not in row["run"]


def test_the_stamp_tells_stale_arms(group, monkeypatch):
    ambiguities.effects([group])
    assert ambiguities.stamp([group]) == ambiguities.joined({group.name: group.base.stamp})
    monkeypatch.setattr("fercore.runs.Run.stale", True)
    assert "4 of 4 runs made with other code" in ambiguities.stamp([group])


FOUND = pd.DataFrame(
    [
        ("gcnet", "a: 1 → 2", 1.0, -2.0, 4.0), ("gcnet", "b: 1 → 2", -9.0, -12.0, -6.0),
        ("gcnet", "c: 1 → 2", 3.0, 0.5, 6.0), ("idferm", "d: 1 → 2", 0.0, float("nan"), float("nan")),
    ],
    columns=["paper", "arm", "effect", "low", "high"],
).assign(images=7, run="folder")  # fmt: skip


def test_effects_are_sorted_by_size_within_a_paper(monkeypatch):
    class Measured:
        def __init__(self, paper):
            self.paper, self.base = paper, self

        def effects(self, device):
            return FOUND[FOUND["paper"] == self.paper]

    found = ambiguities.effects([Measured("idferm"), Measured("gcnet")])
    assert found["arm"].str[0].tolist() == ["d", "b", "c", "a"]


def test_the_tornado_has_the_largest_bar_above_and_colours_what_is_beyond_doubt():
    gcnet, idferm = figures.tornado(FOUND, "stamp").axes
    assert [label.get_text()[0] for label in gcnet.get_yticklabels()] == ["a", "c", "b"]  # from below
    assert [bar.get_width() for bar in gcnet.patches] == [1.0, 3.0, -9.0]
    colours = [to_hex(bar.get_facecolor()).upper() for bar in (*gcnet.patches, *idferm.patches)]
    assert colours == [COLOURS[name] for name in ("cannot be told", "higher", "lower", "cannot be told")]
    (lines,) = gcnet.collections
    assert [segment[:, 0].tolist() for segment in lines.get_segments()] == [[-2, 4], [0.5, 6], [-12, -6]]
    assert gcnet.get_xlim() == idferm.get_xlim() == pytest.approx((-12.6, 12.6))  # zero in the middle, one scale
    assert list(idferm.lines[-1].get_xdata()) == [0, 0] and len(idferm.lines[0].get_xdata()) == 1  # a dot, no bar
    with pytest.raises(ValueError, match="nothing to draw"):
        figures.tornado(FOUND.iloc[:0], "stamp")


def test_the_summary_counts_and_names_what_moves_most():
    table = tables.largest_effects(FOUND)
    assert table.loc["gcnet", ["arms", "higher", "lower", "cannot be told"]].tolist() == [3, 1, 1, 1]
    assert table.loc["gcnet", "moves most"] == "b: 1 → 2" and "-9.0 [-12.0, -6.0]" in table.iloc[0].iloc[-1]
    assert table.loc["gcnet"].iloc[4] == 3.0
    assert table.loc["idferm", "cannot be told"] == 1
    numbers = tables.effects_of_choices(FOUND)
    assert numbers.loc[("gcnet", "c: 1 → 2")].tolist() == ["+3.0 [0.5, 6.0] ↑", 7, "folder"]


def test_the_list_tells_what_the_tier_takes_and_why_an_effect_is_missing():
    table = tables.unstated(LISTED, "twin")
    ours = table["ours, and why"]
    assert ours["gcnet", "weight of all reconstructions"].startswith("lambda_R 1.0; 0.1 at tier twin: ")
    assert ours["gcnet", "margin m"].startswith("margin 1.0: ")
    assert ours["unpaired", "number of images m"].startswith("m not set; 200 at tier twin: ")
    assert table.loc[("gcnet", "margin m"), "effect"] == "measured below"
    reasons = LISTED.set_index(["paper", "choice"]).query("study == ''")["unmeasured"]
    assert (table["effect"].loc[reasons.index] == reasons).all() and (reasons != "").all()
    assert tables.coverage(LISTED)["choices"].sum() == len(LISTED) == len(table)
    own = LISTED[LISTED["paper"] == "idferm"]
    counts = [len(own), sum(row.paper == "idferm" for row in FIELDS), sum(own["study"] != "")]
    assert tables.coverage(LISTED).loc["idferm"].tolist() == counts


def test_cells_of_sentences_may_break_into_lines():
    assert "white-space: normal" in tables.worded(tables.unstated(LISTED, "twin"), "caption").to_html()
