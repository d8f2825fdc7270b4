"""A measured figure beside the threshold it must reach, and a table of many."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Check:
    """One figure: what was measured, its value (None where it could not be), and from where to where it may lie."""

    what: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""  # how it was measured, or why it was not

    @property
    def verdict(self) -> str:
        """ "met", "missed", "not measured", or "" for a figure that is only reported."""
        if self.value is None:
            return "not measured"
        if self.at_least is None and self.at_most is None:
            return ""
        too_low = self.at_least is not None and self.value < self.at_least
        too_high = self.at_most is not None and self.value > self.at_most
        return "missed" if too_low or too_high else "met"

    @property
    def threshold(self) -> str:
        """In words of mathematics."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} .. {self.at_most:g}"
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""


def table(checks: Iterable[Check]) -> pd.DataFrame:
    """One row per check: value, threshold, verdict, note."""
    rows = [
        {"check": c.what, "value": c.value, "threshold": c.threshold, "verdict": c.verdict, "note": c.note}
        for c in checks
    ]
    return pd.DataFrame(rows).set_index("check").astype({"value": float})
