"""Tables with a column per test, on tiny runs: the printed number of the right cell, ours of the right images."""

from dataclasses import replace

import numpy as np
import pytest
from result_factories import judged

from fercore import metrics, published, tables
from fercore.ablation import Ablation
from fercore.evaluation import Interval, accuracy_interval
from fercore.tables import Column
from fercore.tables.columns import points
from fercore.trials import Trial

MOUTH = Trial("mouth", occlusions=("mouth",))
FULL = "Ours: ResNet+l_sim+l_LIR+l_adv+l_rec"


@pytest.fixture
def columns(occluded_study) -> list[Column]:
    return [Column("CK+ R8", occluded_study), Column("CK+ mouth occluded", occluded_study, MOUTH)]


def test_every_cell_has_its_printed_number_and_our_accuracy_on_its_own_images(occluded_study, columns):
    table = tables.beside_printed(columns, 2)
    assert table.index.tolist()[:3] == ["RGBT", "WLS-RF", "PG-CNN"] and table.index[-1] == FULL
    for column in columns:
        printed = table[column.printed, "printed %"]
        assert printed[FULL] == published.value("occluded", 2, FULL, column.printed)
        ours = table[column.printed, "ours % [95 %]"]
        for name, variant in (("ResNet", "ResNet"), ("ResNet+l_rec", "rec"), ("PG-CNN", "PG-CNN")):
            expected = accuracy_interval(occluded_study.predictions(variant, trial=column.trial))
            assert ours[name] == str(expected)
        assert ours[["RGBT", "gACNN", FULL]].isna().all()  # cited, or not run
    rows = [occluded_study.predictions("rec", trial=trial)["row"].tolist() for trial in (None, MOUTH)]
    assert rows[0] == rows[1]


RIGHT = {  # of twenty images, by row and trial
    ("ResNet", None): 10, ("sim", None): 15, ("LIR", None): 4, ("ResNet", "mouth"): 8, ("sim", "mouth"): 4,
    ("LIR", "mouth"): 18,
}  # fmt: skip
NAMES = ["sim", "LIR"]


@pytest.fixture
def told(occluded_study, monkeypatch) -> Ablation:
    """A study whose rows were right on as many images as RIGHT says."""

    def predictions(self, variant, early=False, trial=None):
        right = RIGHT[variant, trial and trial.name]
        return judged([i < right for i in range(20)]).assign(fold=0, seed=0)

    monkeypatch.setattr(Ablation, "predictions", predictions)
    return replace(occluded_study, variants=("ResNet", *NAMES))


def test_gains_are_ours_minus_the_baseline_of_the_same_column_in_the_printed_row_of_that_name(told):
    columns = [Column("CK+ R8", told), Column("CK+ mouth occluded", told, MOUTH)]
    table = tables.gains_by_column(columns, 2)
    assert set(table.index) == set(NAMES)
    for row, name, ours, printed in (
        ("sim", "CK+ R8", "+25.0", 96.23 - 95.91), ("LIR", "CK+ R8", "-30.0", 96.70 - 95.91),
        ("sim", "CK+ mouth occluded", "-20.0", 92.77 - 92.30), ("LIR", "CK+ mouth occluded", "+50.0", 92.45 - 92.30),
    ):  # fmt: skip
        assert table.loc[row, (name, "ours [95 %]")].startswith(f"{ours} [")
        assert table.loc[row, (name, "printed")] == pytest.approx(printed)
    shown = tables.beside_printed(columns, 2)
    assert shown.loc["ResNet+l_sim", ("CK+ R8", "ours % [95 %]")].startswith("75.0 [")
    assert shown.loc["ResNet+l_LIR", ("CK+ mouth occluded", "ours % [95 %]")].startswith("90.0 [")


def test_rows_without_runs_on_the_same_images_gain_nothing(told, monkeypatch):
    ordinary = Ablation.predictions

    def one_image_less(self, variant, early=False, trial=None):
        return ordinary(self, variant, early, trial)[: 19 if variant == "sim" else 20]

    monkeypatch.setattr(Ablation, "predictions", one_image_less)
    table = tables.gains_by_column([Column("CK+ R8", told)], 2)
    assert table["CK+ R8", "ours [95 %]"].isna().to_dict() == {"sim": True, "LIR": False}


@pytest.mark.parametrize(("low", "high", "arrow"), [(0.01, 0.05, "↑"), (-0.05, -0.01, "↓"), (-0.01, 0.01, "")])
def test_an_arrow_only_where_the_interval_leaves_out_zero(low, high, arrow):
    text = points(Interval((low + high) / 2, low, high))
    assert text.rstrip("↑↓ ") == f"{50 * (low + high):+.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    assert text.endswith(arrow) and ("↑" in text) + ("↓" in text) == len(arrow)


def test_what_all_columns_say_is_said_once_and_the_rest_by_column(occluded_study, columns):
    assert tables.stamp_of(columns) == occluded_study.stamp
    foreign = Column("FED-RO", occluded_study, Trial("fedro", "ckplus636"))
    credit = foreign.trial.credit(occluded_study.runs()[0])
    assert tables.stamp_of([columns[0], foreign]) == f"{occluded_study.stamp} ‖ FED-RO: tested on: {credit}"


def test_joined_stamps_lose_nothing():
    stamps = {"A": "tier x · data: one · seeds 0", "B": "tier x · data: two · seeds 0 · 3 of 4 runs missing"}
    assert tables.joined(stamps) == "tier x · seeds 0 ‖ A: data: one ‖ B: data: two · 3 of 4 runs missing"
    assert tables.joined({"A": "tier x"}) == "tier x"


def test_a_column_of_another_metric_has_its_printed_number_and_ours(unpaired_study):
    column = Column("MMSE", unpaired_study, metric="macro-F1")
    table = tables.beside_printed([column], 1)
    printed = published.value("unpaired", 1, "ResNet", "MMSE", "macro-F1")
    assert table.loc["ResNet", ("MMSE, macro-F1", "printed %")] == printed == 90.21
    ours = metrics.interval(metrics.macro_f1(unpaired_study.predictions("ResNet"), unpaired_study.definition.classes))
    assert table.loc["ResNet", ("MMSE, macro-F1", "ours % [95 %]")] == str(ours)


def test_other_systems_stand_in_their_printed_row_or_below(unpaired_study):
    base = unpaired_study.predictions("ResNet")
    others = {"SVM2K": base.assign(predicted=base["label"]), "of ours": base.assign(predicted="pain")}
    column = Column("MMSE", unpaired_study, others=others)
    table = tables.beside_printed([column], 1)["MMSE"]
    assert table.loc["SVM2K", "printed %"] == 83.01 and table.loc["SVM2K", "ours % [95 %]"].startswith("100.0")
    assert table.index[-1] == "of ours (not in the paper's table)" and np.isnan(table["printed %"].iloc[-1])
    gains = tables.gains_by_column([column], 1)["MMSE"]
    assert gains.loc["SVM2K", "printed"] == pytest.approx(83.01 - 90.62) and "DCCA+SVM" not in gains.index
    assert gains.loc["SVM2K", "ours [95 %]"].startswith("+") and "of ours" not in gains.index
