"""What bad habits buy: one training scored by the last epoch, an epoch chosen honestly, and the best epoch of its test.

Every training stands twice: with folds that keep people apart, and with folds that keep only images apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from tqdm.auto import tqdm

from fercore import provenance
from fercore.ablation import limited, tier_with
from fercore.evaluation import DRAWS, Interval, bounded
from fercore.faces.protocols import PROTOCOLS, protocol_of
from fercore.runs import RunError, RunSpec
from fercore.watched import Watched, find, get_or_watch

APART = ("people", "images")  # what no two folds share
LAST, INNER, BEST = "last epoch", "chosen on the inner fold", "best on the test fold"
CROSSED = "best on the other half of the test people"  # as many choices, but nobody is scored by an own one
LATE = "mean of the last quarter of epochs"  # no epoch is taken at all: what one epoch has by chance evens out
RULES = (LAST, INNER, BEST, CROSSED, LATE)
KEYS = ["seed", "fold"]
PRICES = {  # habit -> (what folds keep apart, which epoch) with it, and without
    "an epoch chosen on inner people, over the last (honest)": (("people", INNER), ("people", LAST)),
    "best epoch on the test people, over the last": (("people", BEST), ("people", LAST)),
    "best epoch on the test people, over the one chosen on inner people": (("people", BEST), ("people", INNER)),
    "best epoch on the test people, over the one best on others of them": (("people", BEST), ("people", CROSSED)),
    "folds that keep only images apart, over people; last epoch": (("images", LAST), ("people", LAST)),
    "folds that keep only images apart, over people; mean of late epochs": (("images", LATE), ("people", LATE)),
    "both: only images apart and best epoch on the test, over folds of people and the epoch chosen on inner ones": (
        ("images", BEST), ("people", INNER),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """The watched trainings of one row on one dataset, whose protocol has a twin that keeps only images apart."""

    paper: str
    variant: str
    dataset: str
    folds: tuple[int, ...]
    tier: str = "twin"
    source: str = "twin"
    seeds: tuple[int, ...] = (0,)
    inner: int = 0
    changes: tuple[tuple[str, object], ...] = ()

    def __post_init__(self):
        for name in ("folds", "seeds"):  # notebooks hand over lists
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self._protocol("images") not in PROTOCOLS:
            there = sorted(p.dataset for p in PROTOCOLS.values() if p.apart == "images")
            raise ValueError(f"{self.dataset} has no protocol that keeps only images apart; valid: {', '.join(there)}")

    def specs(self, apart: str) -> list[RunSpec]:
        """The trainings whose folds keep people or only images apart."""
        return [
            RunSpec(self.paper, self.variant, self.dataset, self._protocol(apart), fold, self.tier, self.source, seed,
                    self.changes, self.inner)
            for seed in self.seeds for fold in self.folds
        ]  # fmt: skip

    def train(self, device: str = "cpu") -> "Leak":
        """Train what is missing; what is finished stays as it is."""
        missing = [spec for apart in APART for spec in self.specs(apart) if find(spec) is None]
        for spec in tqdm(missing, desc="watched trainings", disable=not missing):
            get_or_watch(spec, device)
        return self

    def trainings(self, apart: str) -> list[Watched]:
        """All of them; raises RunError where one is missing: an incomplete comparison tells nothing."""
        found = {spec: find(spec) for spec in self.specs(apart)}
        if missing := [str(spec) for spec, watched in found.items() if watched is None]:
            raise RunError(f"{len(missing)} watched trainings are missing, the first is {missing[0]}; train() them")
        return list(found.values())

    def predictions(self, apart: str) -> pd.DataFrame:
        """What all trainings say of both sides after every epoch."""
        return pd.concat([watched.predictions for watched in self.trainings(apart)], ignore_index=True)

    def scored(self) -> dict[tuple[str, str], pd.DataFrame]:
        """(what folds keep apart, which epoch) -> predictions of the test images."""
        seen = {apart: self.predictions(apart) for apart in APART}
        return {(apart, rule): scored(seen[apart], rule) for apart in APART for rule in RULES}

    @property
    def stamp(self) -> str:
        """What stands under tables and figures: tier, data, folds, seeds, commit, and what is stale."""
        all_of_them = [watched for apart in APART for watched in self.trainings(apart)]
        folds = PROTOCOLS[self._protocol("people")].folds
        parts = [
            tier_with(self.tier, self.changes),
            *limited(self.specs("people")[0]),
            f"{self.variant} of {self.paper}",
            "data: " + all_of_them[0].about["data"]["credit"],
            f"folds {', '.join(map(str, self.folds))} of {folds}, inner fold {self.inner}",
            "seeds " + ", ".join(map(str, self.seeds)),
        ]
        return " · ".join(parts + provenance.origin(all_of_them, len(all_of_them), "trainings"))

    def _protocol(self, apart: str) -> str:
        return protocol_of(self.dataset, paper=self.paper).name + "leaky" * (apart == "images")


def curve(seen: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed and fold after every epoch, a column per side."""
    right = (seen["label"] == seen["predicted"]).groupby([seen[key] for key in [*KEYS, "epoch", "side"]]).mean()
    return right.unstack("side")


def late(seen: pd.DataFrame) -> pd.Series:
    """Whether a row is of the last quarter of its training's epochs, at least one."""
    epochs = seen.groupby(KEYS)["epoch"].transform("max") + 1
    return seen["epoch"] >= epochs - (epochs / 4).clip(lower=1)


def restlessness(seen: pd.DataFrame) -> pd.Series:
    """By how much the test accuracy of every seed and fold moves from one epoch to the next, mean over late ones."""
    return curve(seen[late(seen)])["test"].groupby(KEYS).agg(lambda own: own.diff().abs().mean())


def chosen(seen: pd.DataFrame, rule: str) -> pd.Series:
    """The epoch of every seed and fold: the last, or the first of those with the highest accuracy on a side."""
    course = curve(seen).reset_index("epoch")
    if rule == LAST:
        return course.groupby(KEYS)["epoch"].max()
    side = {INNER: "inner", BEST: "test"}[rule]
    return pd.concat({
        key: own.set_index("epoch")[side].agg(["idxmax"]) for key, own in course.groupby(KEYS)
    }).droplevel(-1).rename_axis(KEYS).rename("epoch")  # fmt: skip


def scored(seen: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Predictions of the test images after the epoch that ``rule`` takes, by seed, fold and row; LATE takes several."""
    test = seen[seen["side"] == "test"]
    if rule == LATE:
        return test[late(test)].sort_values([*KEYS, "row", "epoch"], ignore_index=True)
    if rule == CROSSED:
        if (lonely := test.groupby(KEYS)["subject"].nunique()).lt(2).any():
            seed, fold = map(int, lonely.idxmin())
            raise ValueError(f"fold {fold}, seed {seed} tests one person: there is no other half of the people")
        halves = half_of(test)
        parts = [_at(test[halves == 1 - half], chosen(test[halves == half], BEST)) for half in (0, 1)]
        return pd.concat(parts).sort_values([*KEYS, "row"], ignore_index=True)
    return _at(test, chosen(seen, rule)).sort_values([*KEYS, "row"], ignore_index=True)


def half_of(test: pd.DataFrame) -> pd.Series:
    """0 or 1: every second person of a fold in the order of names; who chooses an epoch is not scored by it."""
    return test.groupby(KEYS)["subject"].transform(lambda own: own.rank(method="dense") % 2).astype(int)


def _at(test: pd.DataFrame, epoch: pd.Series) -> pd.DataFrame:
    wanted = epoch.rename("wanted").reset_index()
    joined = test.merge(wanted, on=KEYS)
    return joined[joined["epoch"] == joined["wanted"]].drop(columns="wanted")


def people_gap(ours: pd.DataFrame, base: pd.DataFrame) -> Interval:
    """Accuracy of ``ours`` minus that of ``base`` over the people whom both tested; these are resampled whole, 95 %.

    On the same images this is the paired difference; on different ones of the same people, such as folds of people
    and folds of images have them, what is hard about a person still cancels. Raises ValueError without such people.
    """
    counts = [_by_person(predicted) for predicted in (ours, base)]
    both = counts[0].index.intersection(counts[1].index)
    if both.empty:
        raise ValueError("nobody was tested in both; take more folds")
    sums = [own.loc[both, column].to_numpy(float) for own in counts for column in ("sum", "size")]
    value = float(_gap(*sums))
    if len(both) < 2:
        return Interval(value, float("nan"), float("nan"))
    drawn = stats.bootstrap(
        sums, _gap, paired=True, n_resamples=DRAWS, vectorized=True, method="percentile", rng=np.random.default_rng(0)
    ).bootstrap_distribution
    return bounded(value, drawn)


def _gap(right: np.ndarray, images: np.ndarray, other: np.ndarray, others: np.ndarray, axis: int = -1) -> np.ndarray:
    return right.sum(axis) / images.sum(axis) - other.sum(axis) / others.sum(axis)


def _by_person(predicted: pd.DataFrame) -> pd.DataFrame:
    return (predicted["label"] == predicted["predicted"]).groupby(predicted["subject"]).agg(["sum", "size"])


def prices(scores: dict[tuple[str, str], pd.DataFrame], habits: Iterable[str] = PRICES) -> dict[str, Interval]:
    """What every habit adds to the accuracy that is reported; ``scores`` are those of ``Leak.scored``."""
    return {habit: people_gap(*(scores[arm] for arm in PRICES[habit])) for habit in habits}
