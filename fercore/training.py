"""Train a method: seeded epochs, history, checkpoints, exact resume."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.method import Method
from fercore.storage import whole_file


@dataclass(frozen=True)
class Course:
    """How long to train, on what batches, with which random changes."""

    iterations: int
    batch_size: int
    seed: int
    augmentation: Augmentation


WAY_OUT = "the last checkpoint is kept; lower base_rate or the weight of a term"


class TrainingError(RuntimeError):
    """Training cannot go on; says at which iteration, why, and what to do."""


def fit(
    method: Method,
    examples: Examples,
    course: Course,
    checkpoint: Path | None = None,
    seconds_between: float = 10.0,
    title: str = "",
    cause: str = "",
    after_epoch: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train ``method`` in place; returns the mean of every term per epoch, with the ``seconds`` it took as attribute.

    The state is saved to ``checkpoint`` at the end of an epoch, once ``seconds_between`` have passed since the last
    time, and at the very end; called again, training continues from there and ends with the same bits as if never
    interrupted. A checkpoint of another ``cause`` (code, data) is not continued but begun anew. ``after_epoch`` is told
    each epoch trained here, may look at the method, and changes nothing: epochs draw their own random numbers.
    Raises TrainingError at the first epoch whose loss is not finite, OSError where the checkpoint cannot be written.
    """
    if not len(examples):
        raise TrainingError("there is no training image; check the dataset, the protocol and the fold")
    history, earlier = _take_up(method, checkpoint, cause)
    started = saved = time.monotonic()
    with tqdm(total=course.iterations, initial=method.iteration, desc=title, mininterval=1.0) as bar:
        while method.iteration < course.iterations:
            history.append(_epoch(method, examples, course, epoch=len(history), bar=bar))
            if after_epoch is not None:
                after_epoch(len(history) - 1)
            if checkpoint is not None and time.monotonic() - saved >= seconds_between:
                saved = time.monotonic()
                _save(method, history, checkpoint, cause, earlier + saved - started)
    seconds = earlier + time.monotonic() - started
    if checkpoint is not None:
        _save(method, history, checkpoint, cause, seconds)
    told = pd.DataFrame(history)
    told.attrs["seconds"] = seconds
    return told


def _epoch(method: Method, examples: Examples, course: Course, epoch: int, bar: tqdm) -> dict[str, float]:
    seed = int(np.random.SeedSequence([course.seed, epoch]).generate_state(1)[0])
    torch.manual_seed(seed)  # dropout
    method.train()
    values: list[dict[str, Tensor]] = []  # per step; read once at the end, so that a GPU need not wait
    for batch in examples.epoch(course.batch_size, torch.Generator().manual_seed(seed), course.augmentation):
        values.append(method.step(batch))
        bar.update()
        if method.iteration >= course.iterations:
            break
    terms = dict.fromkeys(term for step in values for term in step)  # a player may sit out some steps
    losses = {term: torch.stack([step[term] for step in values if term in step]).double().cpu() for term in terms}
    _check_finite(losses, values, method)
    return {"epoch": epoch, "iteration": method.iteration} | {term: loss.mean().item() for term, loss in losses.items()}


def _check_finite(losses: dict[str, Tensor], values: list[dict[str, Tensor]], method: Method) -> None:
    """Refuse an epoch in which a loss or, after its last step, a weight is not finite."""
    first = {}  # term -> step of the epoch, counted from 1
    for term, loss in losses.items():
        played = [number for number, step in enumerate(values, start=1) if term in step]
        if len(broken := (~loss.isfinite()).nonzero()):
            first[term] = played[int(broken[0])]
    if first:
        term = min(first, key=first.get)
        value, iteration = values[first[term] - 1][term], method.iteration - len(values) + first[term]
        raise TrainingError(f"term {term} became {value} at iteration {iteration}; {WAY_OUT}")
    for name, value in method.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise TrainingError(f"{name} is not finite after iteration {method.iteration}; {WAY_OUT}")


def _save(method: Method, history: list[dict], checkpoint: Path, cause: str, seconds: float) -> None:
    content = io.BytesIO()  # serialised in memory first, so that a full disk is an OSError
    torch.save({"method": method.progress(), "history": history, "cause": cause, "seconds": seconds}, content)
    with whole_file(checkpoint) as aside:
        aside.write_bytes(content.getbuffer())


def _take_up(method: Method, checkpoint: Path | None, cause: str) -> tuple[list[dict], float]:
    """History and seconds of what was trained before."""
    if checkpoint is None or not checkpoint.is_file():
        return [], 0.0
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    if state["cause"] != cause:
        return [], 0.0
    method.resume(state["method"])
    return state["history"], state["seconds"]
