"""Tables of what the papers leave unstated, and of what it moves."""

from importlib import import_module

import pandas as pd
from pandas.io.formats.style import Styler

from fercore.evaluation import Interval
from fercore.tables.columns import points
from fercore.tables.page import shown

WORDS = "white-space: normal; text-align: left; vertical-align: top; min-width: 6em"


def unstated(listed: pd.DataFrame, tier: str) -> pd.DataFrame:
    """Every choice of a list (``ambiguities.choices``): what is taken in print's terms and at the tier, and what else.

    The last column says whether the effect is measured, and where not, why.
    """
    rows = {
        "paper": listed["paper"],
        "choice": listed["choice"],
        "place": listed["place"],
        "what is not stated": listed["not_stated"],
        "ours, and why": [f"{_taken(row, tier)}: {row.why}" for row in listed.itertuples()],
        "alternatives": listed["alternatives"],
        "effect": listed["unmeasured"].where(listed["study"] == "", "measured below"),
    }
    return pd.DataFrame(rows).set_index(["paper", "choice"])


def _taken(row: tuple, tier: str) -> str:
    """The default; where the tier has another value, that as well."""
    if not row.field:
        return row.default
    here = getattr(import_module(f"fercore.papers.{row.paper}").TIERS[tier], row.field)
    printed = tuple(row.default) if isinstance(row.default, list) else row.default
    differs = f"; {_word(here)} at tier {tier}" if here != printed else ""
    return f"{row.field} {_word(printed)}{differs}"


def _word(value: object) -> str:
    return "not set" if value is None else str(value)


def worded(table: pd.DataFrame, caption: str) -> Styler:
    """As ``shown``, for cells that hold sentences."""
    styles = [{"selector": "td, th", "props": WORDS}]
    return shown(table, caption).set_table_styles(styles)


def coverage(listed: pd.DataFrame) -> pd.DataFrame:
    """By paper: how many choices, how many are a field that takes other values, how many are measured."""
    marks = pd.DataFrame({
        "paper": listed["paper"], "choices": 1, "a field of the configuration": (listed["field"] != "").astype(int),
        "measured": (listed["study"] != "").astype(int),
    })  # fmt: skip
    return marks.groupby("paper", sort=False).sum()


def effects_of_choices(found: pd.DataFrame) -> pd.DataFrame:
    """Every arm's effect in points with its interval; an arrow where that leaves out zero; and the runs it is from."""
    told = [points(_gap(row)) for row in found.itertuples()]
    rows = {"effect, points [95 %]": told, "test images": found["images"].to_numpy(), "runs": found["run"].to_numpy()}
    return pd.DataFrame(rows, index=pd.MultiIndex.from_frame(found[["paper", "arm"]]))


def largest_effects(found: pd.DataFrame) -> pd.DataFrame:
    """By paper: arms, how many intervals leave out zero, the largest effect, and how wide undecided intervals are."""
    rows = {}
    for paper, own in found.groupby("paper", sort=False):
        first, undecided = own.loc[own["effect"].abs().idxmax()], own[(own["low"] <= 0) & (own["high"] >= 0)]
        width = (undecided["high"] - undecided["low"]).max() / 2
        rows[paper] = {
            "arms": len(own),
            "higher": int((own["low"] > 0).sum()),
            "lower": int((own["high"] < 0).sum()),
            "cannot be told": len(own) - int(((own["low"] > 0) | (own["high"] < 0)).sum()),
            "half width of the widest undecided interval, points": width,
            "moves most": first["arm"],
            "by, points [95 %]": points(_gap(first)),
        }
    return pd.DataFrame(rows).T.rename_axis("paper")


def _gap(row: object) -> Interval:
    return Interval(*(float(value) / 100 for value in (row.effect, row.low, row.high)))
