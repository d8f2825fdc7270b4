"""The typed numbers against lines of the papers, read here once more by eye."""

import math

import pytest

from fercore import published

PRINTED = [
    ("gcnet", 2, "CNN (baseline)", 96.94),
    ("gcnet", 2, "GCNet_S0R0", 97.08),
    ("gcnet", 2, "GCNet_S1R0", 97.83),
    ("gcnet", 2, "GCNet_S0R1", 97.53),
    ("gcnet", 2, "GCNet_S1R1", 97.93),
    ("gcnet", 2, "DTAGN-Joint", 97.25),
    ("gcnet", 3, "GCNet_S1R1", 97.28),
    ("gcnet", 3, "CNN (baseline)", 95.47),
    ("gcnet", 4, "GCNet_S1R1", 81.53),
    ("gcnet", 4, "CNN (baseline)", 77.68),
    ("gcnet", 5, "GCNet_S1R0", 86.39),
    ("gcnet", 5, "GCNet_S1R1", 86.11),
    ("idferm", 4, "IDFERM", 97.76),
    ("occluded", 3, "ResNet+l_sim", 67.25),
    ("occluded", 4, "Ours: ResNet+l_sim+l_LIR+l_adv+l_rec", 155.3),
]


@pytest.mark.parametrize(("paper", "number", "method", "printed"), PRINTED)
def test_printed_number(paper, number, method, printed):
    assert published.value(paper, number, method) == printed


def test_dataset_and_metric_tell_numbers_apart():
    assert published.value("unpaired", 1, "visible neural network", "L vs PL", "accuracy") == 93.98
    assert published.value("unpaired", 1, "visible neural network", "L vs PL", "F1") == 92.08
    with pytest.raises(ValueError, match="72|numbers fit"):
        published.value("unpaired", 1, "visible neural network")


def test_every_table_reads_with_the_same_columns():
    for paper, numbers in published.tables().items():
        for number in numbers:
            table = published.table(paper, number)
            assert list(table.columns) == published.COLUMNS
            assert table["value"].dtype.kind in "if" and len(table)


def test_percentages_are_percentages():
    for paper, numbers in published.tables().items():
        for number in numbers:
            table = published.table(paper, number)
            values = table["value"][table["unit"] == "%"].dropna()
            assert values.between(0, 100).all(), (paper, number)


def test_a_blank_is_missing_and_not_zero():
    assert math.isnan(published.value("idferm", 3, "BNBN", "MMI"))


@pytest.mark.parametrize(
    ("ask", "listed"),
    [
        (lambda: published.table("gcnett", 2), "gcnet, idferm, occluded, unpaired"),
        (lambda: published.table("gcnet", 9), "1, 2, 3, 4, 5"),
        (lambda: published.value("gcnet", 2, "GCNet"), "GCNet_S1R1"),
    ],
)
def test_errors_list_what_is_valid(ask, listed):
    with pytest.raises(ValueError, match=listed):
        ask()
