"""Measure what the papers' own settings cost on a GPU: images per second, memory, hours of a training.

Drawn faces of the papers' sizes stand in for the licensed ones, and all weights are random: neither changes the time.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import torch

from fercore.faces.augmentation import Augmentation
from fercore.runs import RunSpec
from fercore.stages import pretraining_of
from fercore.training import Course, fit

TRAININGS = {  # paper -> protocol, people drawn (pictures, where each shows another person), stages and rows
    "gcnet": ("ckplus7", 60, ("reconstruction", "identification", "CNN", "S1R1")),
    "occluded": ("affectnet7", 400, ("occluded", "clean", "ResNet", "Ours")),
    "unpaired": ("mmse4", 12, ("visible", "thermal", "ResNet", "Ours")),
    "idferm": ("ckplus7", 60, ("HNG_vggface", "HNG", "multipie", "softmax", "IDFERM")),
}
DATASETS = {"ckplus7": "ckplus", "affectnet7": "affectnet", "mmse4": "mmse"}
CHANGES = {  # that the time does not depend on
    "idferm": {
        "reference": "true",  # a face beside each image, as the generated one would be
        "pretraining_rate": 1e-3,  # from random weights the printed 0.1 soon diverges
    },
}
WARM = 20  # steps before the clock starts
STEPS = 100


def measured(device: str = "cuda", tier: str = "paper") -> Iterator[tuple[str, dict[str, float]]]:
    """Every pre-training stage and two rows of each paper, one after the other."""
    for paper, (*_, rows) in TRAININGS.items():
        for row in rows:
            yield f"tier {tier} on {device}, {paper}, {row}", training(specified(paper, row, tier), device)


def specified(paper: str, row: str, tier: str) -> RunSpec:
    """The run of a row, or of a stage before the paper's full method, on drawn faces."""
    protocol, people, rows = TRAININGS[paper]
    changes = {"twin_subjects": people} | CHANGES.get(paper, {})
    spec = RunSpec(paper, rows[-1], DATASETS[protocol], protocol, 0, tier, changes=tuple(changes.items()))
    if row in spec.module.PRETRAINING:
        return replace(pretraining_of(spec, row), source="twin")
    return replace(spec, variant=row)


def training(spec: RunSpec, device: str) -> dict[str, float]:
    """Steps of ``fit``, images chosen and changed as ever; hours for as many as the tier has, tests not counted."""
    config, faces = spec.config, spec.faces()
    division = spec.divide(faces)
    torch.manual_seed(spec.seed)
    method = spec.module.METHOD(config, division.classes, spec.terms).to(device, memory_format=torch.channels_last)
    examples = spec.learned(faces, config.streams(spec, faces, division, device), device)
    changed = Augmentation(config.scale, config.rotation, config.intensity, config.crops)
    batch = next(examples.epoch(config.batch_size, torch.Generator(), changed))

    def until(iteration: int) -> None:
        fit(method, examples, Course(iteration, config.batch_size, spec.seed, changed), title=str(spec))

    until(WARM)
    started = time.perf_counter()
    until(WARM + STEPS)  # it reads the losses at its end, so that the device has finished
    step = (time.perf_counter() - started) / STEPS
    figures = {"images/s": len(batch.image) / step, "hours": step * method.iterations / 3600}
    if device == "cuda":
        figures["GPU memory, GB"] = torch.cuda.max_memory_allocated() / 1e9
        torch.cuda.reset_peak_memory_stats()
    return figures
