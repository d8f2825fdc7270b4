"""Table 5: printed and ours with and without pre-training, and the paired gain between them."""

from dataclasses import dataclass

import pandas as pd
import pytest
from result_factories import judged

from fercore import pretraining_gain, published

NAME = "CK+ (7-class)"


@dataclass(frozen=True)
class Study:
    """As an ablation: its changes decide which predictions it has."""

    variants: tuple[str, ...]
    answers: dict
    changes: tuple = ()
    stamp: str = "tier smoke"

    def predictions(self, variant: str) -> pd.DataFrame:
        right = self.answers.get((variant, dict(self.changes).get("pretraining", "multipie")))
        return pd.DataFrame() if right is None else judged(right).assign(fold=0, seed=0)


def table(answers: dict) -> pd.DataFrame:
    return pretraining_gain.table({NAME: Study(("2B(N+M)", "IDFERM"), answers)})[NAME]


def test_every_row_stands_with_and_without_and_gains_what_lies_between():
    half, most = [True, False] * 10, [True] * 18 + [False] * 2
    rows = table({("IDFERM", "multipie"): most, ("IDFERM", ""): half})
    without, after = (
        published.value("idferm", 5, f"IDFERM, {how} Multi-PIE pre-training", NAME) for how in ("without", "with")
    )
    assert rows["printed"]["IDFERM, gain"] == pytest.approx(after - without) == pytest.approx(0.03)
    assert rows["ours [95 %]"]["IDFERM, without Multi-PIE pre-training"].startswith("50.0")
    assert rows["ours [95 %]"]["IDFERM, with Multi-PIE pre-training"].startswith("90.0")
    assert rows["ours [95 %]"]["IDFERM, gain"].startswith("+40.0") and "↑" in rows["ours [95 %]"]["IDFERM, gain"]


def test_what_was_not_run_has_no_gain():
    rows = table({("IDFERM", "multipie"): [True] * 4, ("2B(N+M)", "multipie"): [True] * 4, ("2B(N+M)", ""): [True] * 6})
    assert pd.isna(rows["ours [95 %]"]["IDFERM, gain"])  # nothing without
    assert pd.isna(rows["ours [95 %]"]["2B(N+M), gain"])  # other images
