"""One row under other settings: each arm with its own settings, held against the first on the same images."""

from dataclasses import replace

import pytest
from result_factories import judged

from fercore import arms
from fercore.evaluation import accuracy_interval, difference_interval
from fercore.tables.columns import points


@pytest.fixture
def table(unpaired_study):
    return arms.table(unpaired_study, "Ours", {"in use": {}, "constant": {"attention": "constant"}, "m 7": {"m": 7}})


def test_every_arm_tells_its_images_accuracy_and_gain_over_the_first(table, unpaired_study):
    base = unpaired_study.predictions("Ours")
    changes = dict(unpaired_study.changes) | {"m": 7}
    few = replace(unpaired_study, variants=("Ours",), changes=changes)
    assert table.index.tolist() == ["in use", "constant", "m 7"] and table["gain over in use"].iloc[0] == ""
    assert table.loc["m 7", "images learned"] == "7" != table.loc["in use", "images learned"]
    assert table.loc["in use", "accuracy % [95 %]"] == str(accuracy_interval(base))
    expected = points(difference_interval(few.predictions("Ours"), base))
    assert table.loc["m 7", "gain over in use"] == expected


def test_the_studys_own_changes_stay(table, unpaired_study):
    (run,) = replace(
        unpaired_study, variants=("Ours",), folds=(0,), changes=dict(unpaired_study.changes) | {"attention": "constant"}
    ).runs()
    assert run.about["config"]["image_size"] == 32 and run.about["config"]["attention"] == "constant"


class Arm:
    """As a study of one variant."""

    def __init__(self, right):
        self.right = right

    def predictions(self, variant):
        return judged(self.right).assign(fold=0)


def test_the_lead_of_the_best_arm_is_over_the_one_in_use_and_others_are_counted():
    found = {"in use": [True, False] * 10, "better": [True] * 20, "worse": [False] * 20, "same": [True, False] * 10}
    row = arms.lead({name: Arm(right) for name, right in found.items()}, "x", "in use").loc["in use"]
    assert row["highest"] == "better" and row["highest - in use, points [95 %]"].startswith("+50.0")
    assert row["others whose interval is above"] == row["others whose interval is below"] == 1
    assert row["of"] == 3


def test_an_arm_in_use_that_is_best_leads_by_nothing():
    row = arms.lead({"in use": Arm([True] * 4), "worse": Arm([False] * 4)}, "x", "in use").loc["in use"]
    assert row["highest"] == "in use" and row["highest - in use, points [95 %]"] == "0"
