"""One row under other settings: each arm with its own settings, held against the first on the same images."""

from dataclasses import replace

import pytest

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
