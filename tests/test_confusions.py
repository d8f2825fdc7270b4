"""What the text says of the confusion matrices, held against predictions made for it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from fercore import confusions
from fercore.faces.protocols import SIX


def study(guesses: dict[str, list[str]], classes=SIX, source="prepared") -> SimpleNamespace:
    """Predictions: true class -> what each of its images was taken for; every image shows another person."""
    rows = [(true, guess) for true, own in guesses.items() for guess in own]
    table = pd.DataFrame(rows, columns=["label", "predicted"])
    table["subject"] = [f"P{i}" for i in range(len(table))]
    return SimpleNamespace(classes=list(classes), source=source, predictions=lambda variant: table)


def perfect() -> dict[str, list[str]]:
    return {name: [name] * 4 for name in SIX}


def test_recall_is_the_diagonal_in_percent_and_missing_without_images():
    shares = confusions.recall(study({"anger": ["anger", "fear", "anger", "anger"], "fear": ["sadness"]}), "IDFERM")
    assert shares["anger"] == 75 and shares["fear"] == 0 and pd.isna(shares["surprise"])


@pytest.mark.parametrize(("wrong", "inside"), [(1, "yes"), (20, "no")])
def test_a_printed_share_agrees_where_the_interval_holds_it(wrong, inside):
    guesses = ["neutral"] * (60 - wrong) + ["fear"] * wrong
    table = confusions.of_class({"ours": (study({"neutral": guesses}, ("neutral", *SIX)), "x")}, "neutral", 99.0)
    row = table.loc["ours"]
    assert row["images"] == 60 and row["printed one inside"] == inside
    assert row["ours % [95 %]"].startswith(f"{100 * (60 - wrong) / 60:.1f}")


def test_no_printed_share_is_held_against_drawn_faces():
    drawn = study({"neutral": ["neutral"] * 3}, ("neutral", *SIX), source="twin")
    row = confusions.of_class({"ours": (drawn, "x")}, "neutral", 99.0).loc["ours"]
    assert row["printed %"] == 99 and "printed one inside" not in row


def test_what_is_told_of_oulu_is_read_from_the_matrix():
    as_told = perfect() | {"anger": ["disgust", "disgust", "fear", "anger"], "sadness": ["sadness"] * 3 + ["fear"]}
    assert set(confusions.told_of_oulu(study(as_told), "x")["so in ours"]) == {"yes"}
    otherwise = perfect() | {"fear": ["anger"] * 3 + ["fear"], "anger": ["anger", "anger", "fear", "anger"]}
    assert set(confusions.told_of_oulu(study(otherwise), "x")["so in ours"]) == {"no"}


def test_a_class_without_mistakes_is_taken_for_no_other():
    told = confusions.told_of_oulu(study(perfect()), "x").loc["anger is mostly taken for disgust"]
    assert told["so in ours"] == "no" and told["ours"] == "no mistake"
