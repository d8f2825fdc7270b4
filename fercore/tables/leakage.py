"""Tables of the price of leakage: what was trained, what every rule scores, what every habit buys."""

from collections.abc import Mapping

import pandas as pd

from fercore.evaluation import accuracy_interval
from fercore.leakage import APART, BEST, INNER, LAST, Leak, chosen, prices, restlessness
from fercore.tables.columns import points
from fercore.tables.page import joined


def trained(leaks: Mapping[str, Leak]) -> pd.DataFrame:
    """How much every training learns from and how often it is looked at; ranges over folds and seeds."""
    rows = {}
    for name, leak in leaks.items():
        for apart in APART:
            about = [watched.about for watched in leak.trainings(apart)]
            images = {key: [one["images"][key] for one in about] for key in about[0]["images"]}
            rows[name, apart] = {
                "trainings": len(about),
                "epochs": _range([one["epochs"] for one in about]),
                "images learned": _range(images["learned"]),
                "of these classified": _range(images["classified"]),
                "inner images": _range(images["inner"]),
                "test images": _range(images["test"]),
                "seconds": sum(one["seconds"] for one in about),
            }
    return pd.DataFrame(rows).T.rename_axis(["dataset", "folds keep apart"])


def scores(leaks: Mapping[str, Leak]) -> pd.DataFrame:
    """Accuracy with its 95 % interval over people: a row for what folds keep apart, a column for the epoch taken."""
    rows = {}
    for name, leak in leaks.items():
        for (apart, rule), predicted in leak.scored().items():
            rows.setdefault((name, apart), {"people": predicted["subject"].nunique(), "images": len(predicted)})
            rows[name, apart][f"{rule}, % [95 %]"] = str(accuracy_interval(predicted))
    return pd.DataFrame(rows).T.rename_axis(["dataset", "folds keep apart"])


def epochs(leaks: Mapping[str, Leak]) -> pd.DataFrame:
    """Which epoch, counted from 1, every rule takes in every fold that keeps people apart, and how much is chance."""
    parts = {}
    for name, leak in leaks.items():
        seen = leak.predictions("people")
        parts[name] = pd.DataFrame({rule: 1 + chosen(seen, rule) for rule in (LAST, INNER, BEST)})
        parts[name]["test accuracy moves per late epoch, points"] = (100 * restlessness(seen)).round(1)
    return pd.concat(parts, names=["dataset"])


def habits(leaks: Mapping[str, Leak]) -> pd.DataFrame:
    """What every habit buys, points with a 95 % interval over people, a column per dataset."""
    bought = {name: prices(leak.scored()) for name, leak in leaks.items()}
    shown = {name: {habit: points(price) for habit, price in own.items()} for name, own in bought.items()}
    return pd.DataFrame(shown).rename_axis("habit")


def stamp(leaks: Mapping[str, Leak]) -> str:
    """What stands under a table of several datasets."""
    return joined({name: leak.stamp for name, leak in leaks.items()})


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"
