"""How often a generated face passes for another person (IDFERM, Table 1), by a judge calibrated on strangers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve

from fercore import published
from fercore.evaluation import Interval, subject_bootstrap
from fercore.portraits import Portraits, distances
from fercore.runs import Run
from fercore.tables.scores import ABOVE, BELOW, reading

PRINTED = "HNG, weight of L_id = "
READINGS = {ABOVE: "agrees", BELOW: "disagrees", "undecided": "undecided"}


@dataclass(frozen=True)
class Calibration:
    """A judge's distances of two faces of one person and of two people's, and the threshold between them."""

    same: np.ndarray  # N
    different: np.ndarray  # N
    subject: np.ndarray  # N, whose expressive face is in the pair

    @property
    def threshold(self) -> float:
        """Where as many pairs of one person lie above as pairs of two people at or below (equal error rate)."""
        places = np.unique(np.concatenate([self.same, self.different]))
        missed = 1 - np.searchsorted(np.sort(self.same), places, side="right") / len(self.same)
        taken = np.searchsorted(np.sort(self.different), places, side="right") / len(self.different)
        return float(places[np.argmin(np.abs(missed - taken))])

    def roc(self) -> pd.DataFrame:
        """Share of pairs of two people taken for one against the share of one person's pairs recognised."""
        taken, recognised, _ = roc_curve(*self._scored)
        return pd.DataFrame({"two taken for one": taken, "one recognised": recognised})

    def table(self) -> pd.DataFrame:
        """Threshold, both errors there with intervals over people, and the area under the curve."""
        subject, line = pd.Series(self.subject), self.threshold
        row = {
            "people": subject.nunique(),
            "threshold": line,
            "one person taken for two %": str(subject_bootstrap(pd.Series(self.same > line), subject)),
            "two people taken for one %": str(subject_bootstrap(pd.Series(self.different <= line), subject)),
            "area under the curve": roc_auc_score(*self._scored),
        }
        return pd.DataFrame([row]).set_index("people")

    @property
    def _scored(self) -> tuple[np.ndarray, np.ndarray]:
        truth = np.repeat([1, 0], [len(self.same), len(self.different)])
        return truth, -np.concatenate([self.same, self.different])


def calibrate(judge: Run, strangers: Portraits) -> Calibration:
    """Of people that the judge has not seen: each image against its own and against the next person's neutral."""
    same = distances(judge, strangers.image, strangers.neutral)
    different = distances(judge, strangers.image, strangers.neutral[strangers.others])
    return Calibration(same, different, strangers.table["subject"].to_numpy())


def of_estimates(judge: Run, portraits: Portraits, estimates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The judge's distance from every image to each estimate, and to faces that give the scale."""
    scale = {
        "true neutral of the same person": portraits.neutral,
        "true neutral of another person": portraits.neutral[portraits.others],
        "mean neutral face of the others": portraits.others_mean,
    }
    return {name: distances(judge, portraits.image, faces) for name, faces in (dict(estimates) | scale).items()}


def row_of(weight: float) -> str:
    """What Table 1 calls a generator."""
    return f"{PRINTED}{weight:g}"


def table(found: Mapping[str, np.ndarray], portraits: Portraits, threshold: float) -> pd.DataFrame:
    """Table 1: share of pairs beyond the threshold, printed and ours, with intervals over people; what was not run is
    missing."""
    printed = published.table("idferm", 1).set_index("method")["value"].astype(float)
    names = [*printed.index, *(name for name in found if name not in printed)]
    rows = {name: {"printed %": printed.get(name)} | _ours(found, name, portraits, threshold) for name in names}
    return pd.DataFrame(rows).T.rename_axis("generator")


def agreement(found: Mapping[str, np.ndarray], portraits: Portraits, threshold: float) -> pd.DataFrame:
    """What L_id saves, paired image by image, for every weight that was run: printed, ours, and the reading."""
    base, rows = row_of(0), {}
    for name in [one for one in found if one.startswith(PRINTED) and one != base]:
        fewer = (found[base] > threshold).astype(int) - (found[name] > threshold)
        nearer = subject_bootstrap(pd.Series(found[base] - found[name]), portraits.table["subject"])
        gap = subject_bootstrap(pd.Series(fewer), portraits.table["subject"])
        rows[name] = {
            "printed, points fewer than without": _printed(base) - _printed(name),
            "ours, points fewer [95 %]": str(gap),
            "paper's claim of fewer errors": READINGS[reading(gap)],
            "distance less by [95 %]": _plain(nearer),
            "nearer to the input": READINGS[reading(nearer)],
        }
    return pd.DataFrame(rows).T.rename_axis("generator")


def shares(found: Mapping[str, np.ndarray], portraits: Portraits, threshold: float) -> pd.DataFrame:
    """Share of images beyond the threshold, whatever was compared, with intervals over people."""
    rows = {name: _ours(found, name, portraits, threshold) for name in found}
    return pd.DataFrame(rows).T.rename_axis("compared with the input")


def gap(found: Mapping[str, np.ndarray], portraits: Portraits, threshold: float, one: str, other: str) -> str:
    """How many points fewer identity errors ``one`` has than ``other``, and what that says of the paper's claim."""
    fewer = (found[other] > threshold).astype(int) - (found[one] > threshold)
    saved = subject_bootstrap(pd.Series(fewer), portraits.table["subject"])
    return f"{one}: {saved} points fewer than {other}, {READINGS[reading(saved)]}"


def _printed(name: str) -> float:
    printed = published.table("idferm", 1).set_index("method")["value"].astype(float)
    return float(printed.get(name, float("nan")))


def _ours(found: Mapping[str, np.ndarray], name: str, portraits: Portraits, threshold: float) -> dict:
    if name not in found:
        return {}
    beyond, people = pd.Series(found[name] > threshold), portraits.table["subject"]
    row = {"images": len(beyond), "ours % [95 %]": str(subject_bootstrap(beyond, people))}
    row["mean distance"] = found[name].mean()
    for dataset, rows in portraits.table.groupby("dataset", sort=False).groups.items():
        row[f"{dataset} %"] = str(subject_bootstrap(beyond[rows], people[rows]))
    return row


def _plain(gap: Interval) -> str:
    return f"{gap.value:.3f} [{gap.low:.3f}, {gap.high:.3f}]"
