"""Tests of a table's gains: p by the libraries, adjusted over the whole table, beside what could have been told."""

import numpy as np
import pytest
from result_factories import store_all, study
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fercore import tables
from fercore.evaluation import compare, detectable_gap

NAME = "CK+ (7 expressions)"
HALF, MOST = [True, False] * 12, [True, True, True, False] * 6
RIGHT = {
    ("CNN", 0): HALF, ("CNN", 1): HALF, ("S1R0", 0): MOST, ("S1R0", 1): [True] * 24, ("S1R1", 0): HALF,
    ("S1R1", 1): MOST,
}  # fmt: skip
ROWS = ("CNN", "S1R0", "S1R1")


pytestmark = pytest.mark.usefixtures("prepared_faces")


def test_every_p_is_adjusted_for_all_rows_of_the_table():
    asked = store_all(study(ROWS), RIGHT)
    table = tables.significance([tables.Column(NAME, asked)], 2)
    assert table.index.tolist() == [(NAME, "S1R0"), (NAME, "S1R1")]
    base = asked.predictions("CNN")
    each = [compare(asked.predictions(row), base, 1 / 9) for row in ROWS[1:]]  # nine learned for one tested, each fold
    names = {"people": "p", "corrected t": "corrected_t", "Wilcoxon": "wilcoxon", "McNemar": "mcnemar"}
    for name, test in names.items():
        expected = multipletests([getattr(one, test) for one in each], method="holm")[1]
        assert table[f"p {name}"].tolist() == [f"{p:.3f}" for p in expected], name
    gained = np.array([0.25, 0.5])  # of the two folds
    t = gained.mean() / np.sqrt((1 / 2 + 1 / 9) * gained.var(ddof=1))
    assert each[0].corrected_t == pytest.approx(2 * stats.t.sf(t, 1))


def test_gaps_stand_beside_what_could_have_been_told():
    asked = store_all(study(ROWS), RIGHT)
    row = tables.significance([tables.Column(NAME, asked)], 2).loc[(NAME, "S1R1")]
    assert row["printed"] == pytest.approx(97.93 - 96.94)
    assert row["detectable in print"] == pytest.approx(detectable_gap(96.94, 97.93, 981).independent)
    assert row["printed"] < row["detectable in print"]
    assert row["ours [95 %]"].startswith("+12.5 [") and row["detectable"] > 0
    assert (row["people"], row["folds"]) == (24, 2)


def test_what_was_not_run_or_not_printed_stays_missing():
    """A row without runs, and a variant that no table has."""
    asked = store_all(study(("CNN", "S0R0", "metricCNN")), {("CNN", 0): HALF, ("metricCNN", 0): MOST})
    table = tables.significance([tables.Column(NAME, asked)], 2)
    assert table.loc[(NAME, "S0R0"), ["ours [95 %]", "detectable", "people", "p people"]].isna().all()
    assert table.loc[(NAME, "S0R0"), "printed"] == pytest.approx(97.08 - 96.94)
    assert table.loc[(NAME, "metricCNN"), ["printed", "detectable in print"]].isna().all()
    assert table.loc[(NAME, "metricCNN"), "p corrected t"] == "–"  # one fold
    assert table.loc[(NAME, "metricCNN"), "p McNemar"] != "–"


def test_a_table_may_be_measured_against_another_row_or_have_no_printed_one():
    asked = store_all(study(ROWS), RIGHT)
    against = tables.significance([tables.Column(NAME, asked)], 2, "S1R0")
    assert against.index.get_level_values("row").tolist() == ["CNN", "S1R1"]
    assert against.loc[(NAME, "CNN"), "ours [95 %]"].startswith("-37.5 [")
    alone = tables.significance([tables.Column("London", asked)])
    assert alone.index.tolist() == [("London", "S1R0"), ("London", "S1R1")]
    assert "printed" not in alone and "detectable in print" not in alone


def test_without_any_run_there_is_no_p():
    table = tables.significance([tables.Column(NAME, study(ROWS))], 2)
    assert table[["ours [95 %]", "p people", "p McNemar"]].isna().all(axis=None)
