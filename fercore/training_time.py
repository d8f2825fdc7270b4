"""How long each loss of IDFERM trains until it recognises as much as another (Table 2)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np
import pandas as pd
import torch

from fercore import provenance, published
from fercore.ablation import tier_with
from fercore.losses.comparisons import comparisons
from fercore.method import Batch
from fercore.runs import Beginning, RunSpec, begin, pretrain

COUNTED = {  # row -> the loss's name among the comparisons
    "triplet": "triplet", "N+1": "n_pair", "CCL": "coupled_clusters", "centre": "centre", "2B(N+M)": "clusters",
    "augmented": "clusters", "IDFERM": "radial",
}  # fmt: skip


@dataclass
class Course:
    """One row on its way: its clock runs while it makes batches and steps, and stands still while it is tested."""

    spec: RunSpec
    run: Beginning
    seconds: float = 0.0
    per_step: list[float] = field(default_factory=list)  # of every round
    counted: list[int] = field(default_factory=list)  # comparisons of every batch
    points: list[dict] = field(default_factory=list)

    def __post_init__(self):
        self._batches = self._endless()
        self.test()

    @property
    def curve(self) -> pd.DataFrame:
        """Accuracy on the test side by steps and seconds."""
        return pd.DataFrame(self.points)

    def advance(self, steps: int, device: str = "cpu") -> None:
        """So many steps more, at most to the end of the schedule, then a test."""
        method, seen = self.run.method.train(), []
        steps = min(steps, method.iterations - method.iteration)
        if steps < 1:
            return
        started = time.perf_counter()
        for _ in range(steps):
            seen.append(next(self._batches))
            method.step(seen[-1])
        if device == "cuda":
            torch.cuda.synchronize()
        spent = time.perf_counter() - started
        self.seconds += spent
        self.per_step.append(spent / steps)
        self.counted += [compared(self.spec.variant, batch, self.run.division.classes) for batch in seen]
        self.test()

    def test(self) -> None:
        """Accuracy now, with every network as it is."""
        method = self.run.method.eval()
        right = [method.predict(batch).argmax(1) == batch.label for batch in self.run.test.in_order()]
        accuracy = torch.cat(right).double().mean().item()
        self.points.append({"steps": method.iteration, "seconds": self.seconds, "accuracy": accuracy})

    def _endless(self) -> Iterator[Batch]:
        course, epoch = self.run.course, 0
        while True:  # epochs are drawn as training.fit draws them
            seed = int(np.random.SeedSequence([course.seed, epoch]).generate_state(1)[0])
            torch.manual_seed(seed)
            generator = torch.Generator().manual_seed(seed)
            yield from self.run.examples.epoch(course.batch_size, generator, course.augmentation)
            epoch += 1


def compared(variant: str, batch: Batch, classes: tuple[str, ...]) -> int:
    """Comparisons of distances that the row's metric loss makes in a batch; none without one.

    The generated faces of ``augmented`` are further negatives, or positives where neutral is a class, but no queries.
    """
    if variant not in COUNTED:
        return 0
    label, subject = batch.label, batch.subject
    if variant != "augmented":
        pushed = ~batch.is_reference if variant == "IDFERM" else None
        return comparisons(label, subject, pushed)[COUNTED[variant]]
    neutral = classes.index("neutral") if "neutral" in classes else -1
    both = torch.cat([label, torch.full_like(label, neutral)])
    people = torch.cat([subject, subject])
    positive = label[:, None] == both
    return int(positive.sum() + ((subject[:, None] == people) & ~positive).sum())


def race(specs: dict[str, RunSpec], every: int, device: str = "cpu") -> dict[str, Course]:
    """Every row to the end of its schedule, ``every`` steps at a time in turn: all see the machine's same moods.

    Raises ValueError where ``every`` is below 1: the race would not end.
    """
    if every < 1:
        raise ValueError(f"every {every} is out of range; valid: 1 or above")
    courses = {name: Course(spec, begin(spec, device)) for name, spec in specs.items()}
    while any(course.run.method.iteration < course.run.method.iterations for course in courses.values()):
        for course in courses.values():
            course.advance(every, device)
    return courses


def inner(specs: list[RunSpec], number: int) -> dict[str, RunSpec]:
    """The same runs on an inner fold: people cut from the training people are tested, nobody of the test fold."""
    return {spec.variant: replace(spec, inner=number) for spec in specs}


def target(courses: dict[str, Course], baseline: str, share: float) -> float:
    """The accuracy to be reached: this share of the baseline's best."""
    return share * courses[baseline].curve["accuracy"].max()


def reached(curve: pd.DataFrame, wanted: float) -> pd.Series | None:
    """The first test after a step at which the accuracy is there, None if it never is."""
    there = curve[(curve["accuracy"] >= wanted) & (curve["steps"] > 0)]
    return there.iloc[0] if len(there) else None


def table(courses: dict[str, Course], wanted: float) -> pd.DataFrame:
    """Steps and seconds until the accuracy is reached, seconds of a step, and comparisons of a batch."""
    rows = {}
    for name, course in courses.items():
        curve, at = course.curve, reached(course.curve, wanted)
        rows[name] = {
            "reached": "no" if at is None else "yes",
            "steps": None if at is None else int(at["steps"]),
            "seconds": None if at is None else float(at["seconds"]),
            "seconds per 1000 steps": 1000 * median(course.per_step[1:] or course.per_step),
            "comparisons per batch": float(np.mean(course.counted)),
            "best accuracy %": 100 * curve["accuracy"].max(),
        }
    return pd.DataFrame(rows).T.rename_axis("loss")


def beside_printed(courses: dict[str, Course], wanted: float, printed: dict[str, str], dataset: str) -> pd.DataFrame:
    """Minutes in print and our seconds, each also in units of the last row's, and whether ours took longer as well.

    printed: row -> its name in Table 2.
    """
    minutes = {name: published.value("idferm", 2, method, dataset) for name, method in printed.items()}
    times = {name: reached(courses[name].curve, wanted) for name in printed}
    seconds = {name: float("nan") if at is None else float(at["seconds"]) for name, at in times.items()}
    last = list(printed)[-1]
    shown = pd.DataFrame({
        "printed, min": minutes,
        "ours, s": seconds,
        f"printed / {last}": {name: value / minutes[last] for name, value in minutes.items()},
        f"ours / {last}": {name: value / seconds[last] if seconds[last] else float("nan")
                           for name, value in seconds.items()},
    })  # fmt: skip
    longer = [_agrees(name, last, seconds) for name in shown.index]
    return shown.assign(**{f"ours longer than {last}, as in print": longer}).rename_axis("loss")


def _agrees(name: str, last: str, seconds: dict[str, float]) -> str:
    if name == last:
        return ""
    if seconds[last] != seconds[last]:
        return f"{last} did not reach it"
    if seconds[name] != seconds[name]:
        return "yes: not reached at all"
    return "yes" if seconds[name] > seconds[last] else "no"


def curves(courses: dict[str, Course]) -> dict[str, pd.DataFrame]:
    """The curve of every row."""
    return {name: course.curve for name, course in courses.items()}


def stamp(courses: dict[str, Course], number: int, wanted: float) -> str:
    """What stands under table and figure."""
    spec, run = next((course.spec, course.run) for course in courses.values())
    parts = [
        tier_with(spec.tier, spec.changes), f"data: {run.faces.credit}",
        f"inner fold {number} of fold {spec.fold}, {len(run.test)} images",
        f"target {100 * wanted:.1f} %", f"seed {spec.seed}",
        f"{torch.get_num_threads()} threads on one machine", f"commit {provenance.commit()}",
    ]  # fmt: skip
    return " · ".join(parts)


def generator_seconds(spec: RunSpec, device: str = "cpu") -> pd.DataFrame:
    """What trainings of the generator took, each alone, that every row shares and no clock of the race counts."""
    rows = {}
    for stage in ("identity", "HNG_vggface", "HNG"):
        about = pretrain(spec, stage, device).about
        rows[stage] = {"seconds": about["seconds"], "iterations": about["config"]["iterations"]}
    rows["together"] = {"seconds": sum(row["seconds"] for row in rows.values())}
    return pd.DataFrame(rows).T.rename_axis("stage")
