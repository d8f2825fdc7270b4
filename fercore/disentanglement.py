"""How much of a face's expression, and of whose it is, stays in what a network makes of it: linear probes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from fercore.evaluation import subject_bootstrap
from fercore.faces.examples import Examples
from fercore.networks.inception import standardised
from fercore.networks.metric_head import TwoBranchHead
from fercore.runs import Run
from fercore.tables.columns import points

STRENGTH = 0.01  # of the probe's regularisation (C), fixed beforehand
COMPONENTS = 100  # principal ones that a probe sees at most, as pixels are many
FOLDS = 5  # that a probe is tested in


@dataclass(frozen=True)
class Seen:
    """N images as several spaces have them, what they show and whom; ``expression`` and ``identity`` probe them."""

    spaces: Mapping[str, np.ndarray]  # name -> N x D
    table: pd.DataFrame  # N rows: subject, sequence, label

    def expression(self) -> dict[str, pd.Series]:
        """Whether a probe tells each image's expression, from people that it has not seen."""
        people = {who: i % FOLDS for i, who in enumerate(sorted(self.table["subject"].unique()))}
        return self._probed("label", self.table["subject"].map(people).to_numpy())

    def identity(self) -> dict[str, pd.Series]:
        """Whether a probe tells each image's person, from other sequences of the same people.

        People with a single sequence cannot be probed and are left out (not a number).
        """
        takes = self.table.drop_duplicates(["subject", "sequence"])
        turn = takes.groupby("subject").cumcount() % FOLDS
        keyed = dict(zip(zip(takes["subject"], takes["sequence"], strict=True), turn, strict=True))
        fold = np.array([keyed[key] for key in zip(self.table["subject"], self.table["sequence"], strict=True)])
        alone = self.table.groupby("subject")["sequence"].transform("nunique").to_numpy() < 2
        return self._probed("subject", np.where(alone, -1, fold))

    def _probed(self, column: str, fold: np.ndarray) -> dict[str, pd.Series]:
        truth = self.table[column].to_numpy()
        return {name: held_out(space, truth, fold) for name, space in (*self.spaces.items(), (CHANCE, None))}


CHANCE = "guessing the most frequent"


def held_out(space: np.ndarray | None, truth: np.ndarray, fold: np.ndarray) -> pd.Series:
    """1 where a probe that learned from the other folds is right, 0 where not, NaN in fold -1; no space: it guesses."""
    right = pd.Series(np.full(len(truth), np.nan))
    for k in sorted(set(fold) - {-1}):
        learned, tested = (fold != k) & (fold >= 0), fold == k
        if len(set(truth[learned])) < 2:
            continue
        if space is None:
            names, counts = np.unique(truth[learned], return_counts=True)
            said = np.full(tested.sum(), names[counts.argmax()])
        else:
            flat = space.reshape(len(space), -1).astype(np.float64)
            said = _probe(flat[learned]).fit(flat[learned], truth[learned]).predict(flat[tested])
        right[tested] = (said == truth[tested]).astype(float)
    return right


def table(groups: Mapping[str, list[Seen]]) -> pd.DataFrame:
    """Accuracy of both probes in every space, %, with intervals over people, and the paired gap to the first space.

    groups: name -> parts that are probed each on its own (a fold's test people) and counted together.
    """
    rows = {}
    for group, parts in groups.items():
        people = pd.concat([part.table["subject"] for part in parts], ignore_index=True)
        for target in ("expression", "identity"):
            probed = [getattr(part, target)() for part in parts]
            right = {name: pd.concat([own[name] for own in probed], ignore_index=True) for name in probed[0]}
            for name, values in right.items():
                rows.setdefault((group, name), {}).update(_cells(target, values, next(iter(right.values())), people))
    return pd.DataFrame(rows).T.rename_axis(["images", "space"])


def of_faces(faces: Mapping[str, np.ndarray], table: pd.DataFrame) -> dict[str, list[Seen]]:
    """Pictures (name -> N x S x S) of each data set in turn: expressions are other ones there."""
    groups = table.groupby("dataset", sort=False).groups
    return {
        name: [Seen({space: images[rows] for space, images in faces.items()}, table.loc[rows].reset_index(drop=True))]
        for name, rows in groups.items()
    }


def of_networks(runs: Mapping[str, list[Run]]) -> list[Seen]:
    """Test people of each fold, as pixels, as the expression branch o of every row and as the embedding f of the last.

    runs: row -> its runs, of the same folds each.
    """
    parts = []
    for own in zip(*runs.values(), strict=True):
        spaces: dict[str, np.ndarray] = {}
        for row, run in zip(runs, own, strict=True):
            spaces |= {f"{row}, {name}" if name != "input pixels" else name: x for name, x in _embedded(run).items()}
        faces, part = own[0].faces(), own[0].division().test
        parts.append(Seen(spaces, faces.table.loc[part.rows, ["subject", "sequence", "label"]].reset_index(drop=True)))
    return parts


def per_identity(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean squared error of each estimate person by person: the middle half of them, and whom it serves best."""
    means = errors.groupby(["subject", "estimate"], sort=False)["error"].mean().unstack()[errors["estimate"].unique()]
    quarters = means.quantile([0.25, 0.5, 0.75])
    who, best = pd.Series(means.index), means.idxmin(axis=1).reset_index(drop=True)
    rows = {
        name: {
            "people": len(means), "median error": quarters.loc[0.5, name],
            "middle half": f"{quarters.loc[0.25, name]:.4f} to {quarters.loc[0.75, name]:.4f}",
            "nearest of all, % of people": str(subject_bootstrap(best == name, who)),
        }
        for name in means
    }  # fmt: skip
    return pd.DataFrame(rows).T.rename_axis("estimate")


def _cells(target: str, right: pd.Series, first: pd.Series, people: pd.Series) -> dict:
    told = right.notna()
    if not told.any():
        return {f"{target} %": None}
    cells = {f"{target} %": str(subject_bootstrap(right[told], people[told])), f"{target}, gap to the first": ""}
    if right is not first:
        cells[f"{target}, gap to the first"] = points(subject_bootstrap((right - first)[told], people[told]))
    return cells


@torch.no_grad()
def _embedded(run: Run) -> dict[str, np.ndarray]:
    method, found = run.method(), []
    for batch in Examples(run.faces(), run.division().test, run.spec.config.image_size).in_order():
        h = method.trunk(standardised(batch.image))
        spaces = {"input pixels": batch.image.flatten(1), "o": method.head.feature(h)}
        if isinstance(method.head, TwoBranchHead):  # a row without metric loss embeds nothing
            spaces["f"] = method.head(h)[1]
        found.append(spaces)
    return {name: torch.cat([spaces[name] for spaces in found]).numpy() for name in found[0]}


def _probe(learned: np.ndarray) -> Pipeline:
    reduce = PCA(min(COMPONENTS, *learned.shape), svd_solver="full")
    return make_pipeline(StandardScaler(), reduce, LogisticRegression(C=STRENGTH, max_iter=1000))
