"""What the page of forensics says of the printed tables."""

import pandas as pd
import pytest

from fercore.figures.forensics import fitting_units
from fercore.forensics.counting import Fit
from fercore.tables import forensic_f1, forensic_pairs, forensics


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    return forensics.units()


def told(units: pd.DataFrame, paper: str, dataset: str, images: int) -> pd.Series:
    rows = units.reset_index().query("paper == @paper and dataset == @dataset and images == @images")
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("paper", "dataset", "images", "found", "reading"),
    [
        ("gcnet", "Oulu-CASIA VIS (6 expressions)", 1440, 5, "fits"),
        ("gcnet", "Oulu-CASIA VIS (6 expressions)", 480, 2, "excluded: 3 of 5 do not fit"),
        ("gcnet", "CK+ (7 expressions)", 981, 1, "excluded: 4 of 5 do not fit"),
        ("occluded", "RAF-DB", 3068, 8, "fits"),
        ("occluded", "FED-RO", 400, 8, "fits"),
        ("occluded", "CK+ (trained on RAF-DB, dagger)", 636, 6, "fits but for 2"),
        ("unpaired", "CK+", 981, 6, "fits"),
        ("unpaired", "CK+", 327, 4, "excluded: 2 of 6 do not fit"),
        ("unpaired", "Oulu-CASIA", 1440, 5, "fits but for 1"),
        ("unpaired", "L vs S", 21166, 6, "cannot be told: it reaches every value"),
        ("unpaired", "L vs PL", 3561, 2, "excluded: 4 of 6 do not fit"),
    ],
)
def test_reading_of_a_unit(units, paper, dataset, images, found, reading):
    row = told(units, paper, dataset, images)
    assert (row["or truncated"], row["reading"]) == (found, reading)


def test_readings_follow_their_rule():
    fit = Fit(636, 8, 8, 8, (0.06, 0.09), (0, 0))
    assert forensics.reading(fit, 0.2, 0.05) == "possible, and chance would do as well"
    assert forensics.reading(Fit(636, 8, 5, 5, (0.06, 0.09), (0, 0)), 1e-6, 0.05) == "excluded: 3 of 8 do not fit"
    assert forensics.reading(Fit(636, 8, 7, 7, (0.06, 0.09), (0, 0)), 0.2, 0.05) == "excluded: 1 of 8 do not fit"


def test_numbers_without_explanation_in_one_run():
    table = forensics.impossible().reset_index()
    found = table[table["reading"] == "impossible in one run"]
    assert set(zip(found["paper"], found["printed"], strict=True)) == {
        ("idferm", "88.25"), ("occluded", "78.47"), ("occluded", "79.21"), ("occluded", "89.90"), ("unpaired", "89.11"),
    }  # fmt: skip


def test_f1_has_the_second_class_as_positive():
    counts = forensic_f1.two_class_counts()["F1 possible at the accuracy"]
    assert counts["L vs S"].to_dict() == {"laughter positive": 0, "speech positive": 12, "macro": 0}
    assert counts["L vs PL"].to_dict() == {"laughter positive": 0, "posed laughter positive": 11, "macro": 0}
    assert forensic_f1.two_class_counts()["rows left out"]["L vs PL"]["posed laughter positive"] == "ResNet"


def test_four_classes_have_possible_macro_f1():
    table = forensic_f1.four_classes()
    assert len(table) == 12 and (table["possible"] == "yes").all()
    assert (table["not below"] < table["macro-F1"].astype(float)).all()


def test_cited_numbers_agree_between_papers():
    same = forensic_pairs.same_in_papers()
    assert len(same) == 17 and same["equal"].value_counts().to_dict() == {"yes": 16, "when rounded": 1}
    assert same.loc[("DTAGN-Joint", "MMI"), ["gcnet", "idferm"]].tolist() == ["70.24", "70.2"]


def test_pairs_closer_than_an_image():
    found = forensic_pairs.too_close()["values"]
    assert list(found) == ["98.32, 98.35", "81.11, 81.13", "78.46, 78.47", "79.09, 79.21"]


def test_gaps_are_counted_against_both_thresholds():
    gaps = forensic_pairs.gaps()
    counts = forensic_pairs.gap_counts(gaps)
    assert counts["gaps"].sum() == len(gaps) > 100
    assert (counts["reach 80 % power"] <= counts["reach the least"]).all()
    ck = gaps.reset_index().query("paper == 'gcnet' and table == '2'")
    assert ck["gap, points"].round(2).tolist() == [0.14, 0.89, 0.59, 0.99]
    assert ck["least that could"].iloc[0] == pytest.approx(600 / 981)


def test_figure_has_a_row_for_every_unit_and_its_stamp(units):
    figure = fitting_units(units, "made of print")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == len(units) and "gcnet 5, Oulu-CASIA (6): 1440" in names
    assert figure.get_supxlabel() == "made of print"
