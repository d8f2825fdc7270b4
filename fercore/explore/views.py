"""What a finished run sees of images, says of them, and makes of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fercore.evaluation import vote
from fercore.explore.store import NoRunError, row_of
from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import PROTOCOLS, Part
from fercore.figures.faces import PARTS, REFERRED, beside, pixels
from fercore.method import Batch, Method
from fercore.normalised import normalised
from fercore.predictions import SCORE
from fercore.runs import Run, find
from fercore.stages import pretraining_of

ORDERS = ("mistakes first", "mistakes", "right ones", "as in the set")


@dataclass(frozen=True)
class Opened:
    """A run whose images and networks are read once, when they are first asked for."""

    run: Run

    @classmethod
    def of(cls, run: Run) -> "Opened":
        """The run as it stands in the store now; raises NoRunError where it is gone."""
        found = find(run.spec)
        if found is None:
            raise NoRunError(f"{run.spec} is not in the store any more")
        return cls(found)

    @cached_property
    def faces(self) -> FaceSet:
        """The images that the run saw; raises RunError where they have changed."""
        return self.run.faces()

    @cached_property
    def method(self) -> Method:
        """Its networks."""
        return self.run.method()

    @cached_property
    def generator(self) -> Method | None:
        """What normalises faces for IDFERM's rows; None where no row asks for it or it is not in the store."""
        if "HNG" not in self.run.spec.module.PRETRAINING:
            return None
        found = find(pretraining_of(self.run.spec, "HNG"))
        return found.method() if found else None

    @property
    def stamp(self) -> str:
        """What stands under a figure of this run."""
        spec = self.run.spec
        inner = "" if spec.inner is None else f", inner fold {spec.inner} of its training people"
        return f"{row_of(self.run)} on {spec.protocol}, fold {spec.fold}{inner} · {self.run.stamp}"

    @property
    def note(self) -> str:
        """What a reader may miss in its pictures; empty where all is there."""
        if any(term in self.run.spec.terms for term in PARTS) or self.generator:
            return ""
        if "HNG" in self.run.spec.module.PRETRAINING:
            return "The generator that normalises faces is not in the store, so no normalised faces are shown."
        return f"The row {self.run.spec.variant} makes no images of its own."

    @property
    def classes(self) -> list[str]:
        """In the order of the scores."""
        return list(self.run.about["classes"])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per test image with ``score``, that of the predicted class, and ``right``."""
        table = self.run.predictions
        scores = table[[SCORE + name for name in self.classes]]
        return table.assign(score=scores.max(axis=1), right=table["label"] == table["predicted"])

    @property
    def voted(self) -> pd.DataFrame:
        """What the protocol scores: the images, or sequences by the mean scores of theirs."""
        by_sequence = PROTOCOLS[self.run.spec.protocol].unit == "sequence"
        return vote(self.run.predictions) if by_sequence else self.run.predictions

    def ordered(self, order: str = ORDERS[0]) -> pd.DataFrame:
        """The predictions in one of ORDERS: mistakes by falling score, right ones by rising score."""
        table = self.predictions
        wrong, right = table[~table["right"]], table[table["right"]]
        parts = {"mistakes": wrong.sort_values("score", ascending=False), "right ones": right.sort_values("score")}
        parts["mistakes first"] = pd.concat([parts["mistakes"], parts["right ones"]])
        return parts.get(order, table)

    def telling(self, images: int = 6) -> pd.DataFrame:
        """Half mistakes, half right ones, each the surest of another sequence, of as many classes as fit."""
        half = images // 2
        wrong, right = (_surest(self.predictions[self.predictions["right"] == side]) for side in (False, True))
        wrong = wrong[: max(half, images - len(right))]
        return pd.concat([wrong, right[: images - len(wrong)]])

    def seen(self, rows: np.ndarray) -> Batch:
        """Test images as the run saw them, covered where its paper covers them."""
        part = Part(rows, np.zeros(len(rows), int))
        return next(self.run.spec.examples(self.faces, part, "test").in_order(len(rows)))

    def views(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Name -> N images: the input, what it is to be compared with, and what the networks make of it."""
        batch = self.seen(rows)
        referred = self.generator is not None or bool(self.run.spec.terms & REFERRED)
        shown = {"input": batch.image} | beside(batch, referred)
        stored = np.asarray(self.faces.images[rows])
        return {name: pixels(view) for name, view in shown.items()} | self.made(batch, stored)

    @torch.no_grad()
    def made(self, batch: Batch, stored: np.ndarray) -> dict[str, np.ndarray]:
        """Name -> N images that the networks make of a batch; ``stored``: what it was cropped from, uint8."""
        terms, outputs = self.run.spec.terms, self.method(batch)
        views = {name: pixels(getattr(outputs, part)) for term, (name, part) in PARTS.items() if term in terms}
        if self.generator is not None:
            views["normalised face"] = normalised(self.generator, stored) / 255
        return views


def maps(images: np.ndarray, channels: int) -> Tensor:
    """Images, uint8, N x S x S or N x S x S x 3, as N x channels x S x S in [0, 1]."""
    tensor = torch.from_numpy(np.array(images)).float() / 255
    tensor = tensor[:, None] if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2)
    return tensor.expand(-1, channels, -1, -1)


def _surest(table: pd.DataFrame) -> pd.DataFrame:
    """One image of each sequence, classes in turn, in each class by falling score."""
    table = table.sort_values("score", ascending=False, kind="stable").drop_duplicates(["subject", "sequence"])
    turn = table.groupby("label").cumcount()
    return table.assign(turn=turn).sort_values(["turn", "score"], ascending=[True, False], kind="stable")
