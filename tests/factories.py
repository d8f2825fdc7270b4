"""Tiny face sets, batches and networks that many tests share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Part
from fercore.method import Batch, Method
from fercore.papers import idferm as idferm_paper
from fercore.papers import occluded as occluded_paper
from fercore.papers import unpaired as unpaired_paper
from fercore.papers.gcnet import PRETRAINING, VARIANTS, Config, GCNet
from fercore.training import Course

TINY = Config(image_size=16, widths=(3, 4, 5), batch_size=4, iterations=4, base_rate=0.01, pretraining="")
STAGES = VARIANTS | {name: stage.terms for name, stage in PRETRAINING.items()}  # every term set that is ever trained
TINY_OCCLUDED = occluded_paper.Config(
    image_size=16, sizes=(), block="basic", depth=(1, 1, 1, 1), width=8, weights="random", batch_size=4, iterations=4,
    base_rate=0.01, discriminator_rate=0.01, pretraining_iterations=4, pretraining_rate=0.01, pretraining="",
)  # fmt: skip
OCCLUDED_STAGES = occluded_paper.VARIANTS | {n: stage.terms for n, stage in occluded_paper.PRETRAINING.items()}
TINY_UNPAIRED = unpaired_paper.Config(
    image_size=16, depth=(1, 1, 1, 1), width=8, weights="random", thermal="own", batch_size=4, iterations=4,
    base_rate=0.01, discriminator_rate=0.01, pretraining_iterations=4, pretraining_rate=0.01, pretraining="",
)  # fmt: skip
UNPAIRED_STAGES = unpaired_paper.VARIANTS | {n: stage.terms for n, stage in unpaired_paper.PRETRAINING.items()}
TINY_IDFERM = idferm_paper.Config(
    stored=32, image_size=32, widths=(3, 4, 5), code=6, weights="stand_in", filters="small", d_input=12, d_output=10,
    d_embedding=6, batch_size=4, iterations=4, base_rate=0.01, hng_iterations=4, identity_iterations=4, pretraining="",
    pretraining_iterations=4, pretraining_rate=0.01, pretraining_per_class=2,
)  # fmt: skip
IDFERM_STAGES = idferm_paper.VARIANTS | {  # a stage without terms of its own is the row itself
    n: stage.terms for n, stage in idferm_paper.PRETRAINING.items() if stage.terms is not None
}
THREE = ("anger", "happiness", "surprise")
FOUR = ("neutral", *THREE)


def face_table(subjects: int, labels: tuple[str, ...], frames: int) -> pd.DataFrame:
    """One sequence per subject and label; the first frame is neutral and the reference of its sequence."""
    rows = []
    for subject in range(subjects):
        for take, label in enumerate(labels):
            onset = len(rows)
            for frame in range(frames):
                rows.append((
                    f"S{subject:03d}", f"{take:03d}", frame, label if frame else "neutral", frame / max(frames - 1, 1),
                    "visible", onset, "",
                ))  # fmt: skip
    columns = ["subject", "sequence", "frame", "label", "intensity", "modality", "reference", "split"]
    return pd.DataFrame(rows, columns=columns)


def gratings(table: pd.DataFrame, size: int, seed: int = 0) -> np.ndarray:
    """Drawn "faces": the subject gives the phase, the label the direction, the intensity the contrast of a grating.

    Directions stay within a quarter turn, so that no label is the mirror image of another.
    """
    labels = sorted(set(table["label"]) - {"neutral"})
    y, x = np.mgrid[:size, :size] / size
    images = []
    for row in table.itertuples():
        angle = 0.5 * np.pi * (labels.index(row.label) if row.label in labels else 0) / len(labels)
        phase = int(row.subject[1:])
        strength = 0.0 if row.label == "neutral" else row.intensity
        wave = np.sin(6 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) + phase)
        images.append(120 + 20 * np.cos(phase + 4 * x) + 90 * strength * wave)
    noise = np.random.default_rng(seed).normal(0, 4, (len(table), size, size))
    return (np.stack(images) + noise).clip(0, 255).astype(np.uint8)


def small_faces(subjects: int = 12, labels: tuple[str, ...] = THREE, frames: int = 5, size: int = 17) -> FaceSet:
    """A face set in memory; 17 pixels are what a crop of 16 is taken from."""
    table = face_table(subjects, labels, frames)
    return FaceSet("gratings", gratings(table, size), table, "open", "drawn by the tests; no person")


def two_modalities(faces: FaceSet) -> FaceSet:
    """Every face of a visible set once more as a thermal image, a negative; colour or gray as the set is."""
    table, n = faces.table, len(faces)
    reference = table["reference"].where(table["reference"] < 0, table["reference"] + n)
    both = pd.concat([table, table.assign(modality="thermal", reference=reference)], ignore_index=True)
    return replace(faces, images=np.concatenate([faces.images, 255 - faces.images]), table=both)


def rows_of(faces: FaceSet, modality: str) -> Part:
    """Every image of one modality."""
    return all_of(faces).only((faces.table["modality"] == modality).to_numpy())


def all_of(faces: FaceSet) -> Part:
    """Every image, its class index in the order of ``faces.classes``."""
    return Part(np.arange(len(faces)), faces.table["label"].map(faces.classes.index).to_numpy())


def small_examples(faces: FaceSet | None = None, part: Part | None = None) -> Examples:
    """Examples of a small face set at 16 pixels."""
    faces = faces or small_faces(subjects=2)
    return Examples(faces, all_of(faces) if part is None else part, TINY.image_size)


def course(iterations: int = 4, batch_size: int = 4, seed: int = 0) -> Course:
    """A few iterations with every random change switched on."""
    return Course(iterations, batch_size, seed, Augmentation(scale=0.1, rotation=10, intensity=0.2))


def random_batch(seed: int = 0, images: int = 6, classes: int = 4, size: int = 16) -> Batch:
    """Random images; the second one shows the reference itself, the third takes no part in classification."""
    generator = torch.Generator().manual_seed(seed)
    image, reference = torch.rand(2, images, 1, size, size, generator=generator)
    label = torch.randint(classes, (images,), generator=generator)
    image[1], label[2] = reference[1], -1
    return Batch(image, label, reference, torch.arange(images) == 1)


def gcnet(terms: frozenset[str], seed: int = 0, **changes) -> GCNet:
    """A tiny GCNet in training mode with reproducible weights."""
    torch.manual_seed(seed)
    return GCNet(replace(TINY, **changes), 4, terms).train()


def covered_batch(seed: int = 0, images: int = 6, classes: int = 4, size: int = 16) -> Batch:
    """Random images with a dark square before them, and as they were; the third takes no part in classification."""
    generator = torch.Generator().manual_seed(seed)
    privileged = torch.rand(images, 3, size, size, generator=generator)
    label = torch.randint(classes, (images,), generator=generator)
    image, label[2] = privileged.clone(), -1
    image[:, :, size // 4 : size // 2, : size // 2] = 0
    return Batch(image, label, is_reference=torch.zeros(images, dtype=bool), privileged=privileged)


def occluded(terms: frozenset[str], seed: int = 0, **changes) -> Method:
    """A tiny Occluded, or a compared system, in training mode with reproducible weights."""
    torch.manual_seed(seed)
    return occluded_paper.METHOD(replace(TINY_OCCLUDED, **changes), FOUR, terms).train()


def beside_batch(seed: int = 0, images: int = 6, classes: int = 4, size: int = 16) -> Batch:
    """Random images beside random thermal ones of the same faces; the third takes no part in classification."""
    generator = torch.Generator().manual_seed(seed)
    image, privileged = torch.rand(2, images, 3, size, size, generator=generator)
    label = torch.randint(classes, (images,), generator=generator)
    label[2] = -1
    return Batch(image, label, privileged=privileged, paired=True)


def unpaired(terms: frozenset[str], seed: int = 0, classes: tuple[str, ...] = FOUR, **changes) -> Method:
    """A tiny Unpaired, or a compared system, in training mode with reproducible weights."""
    torch.manual_seed(seed)
    return unpaired_paper.METHOD(replace(TINY_UNPAIRED, **changes), classes, terms).train()


def person_batch(seed: int = 0, classes: int = 4, size: int = 32) -> Batch:
    """Random images beside references: of three classes two; one person shows one class only; class 0 is neutral."""
    generator = torch.Generator().manual_seed(seed)
    image, reference = torch.rand(2, 6, 1, size, size, generator=generator)
    label = torch.randperm(classes, generator=generator)[:3].repeat(2)
    return Batch(image, label, reference, is_reference=label == 0, subject=torch.tensor([0, 0, 0, 1, 1, 2]))


def idferm(terms: frozenset[str], seed: int = 0, classes: tuple[str, ...] = FOUR, **changes) -> Method:
    """A tiny IDFERM in training mode with reproducible weights."""
    torch.manual_seed(seed)
    return idferm_paper.METHOD(replace(TINY_IDFERM, **changes), classes, terms).train()


@dataclass(frozen=True)
class Paper:
    """What a test over all papers needs of each."""

    make: Callable[..., Method]  # terms, seed, changes -> tiny method
    stages: Mapping[str, frozenset[str]]  # every term set that is ever trained
    batch: Callable[[int], Batch]


PAPERS = {
    "gcnet": Paper(gcnet, STAGES, random_batch),
    "occluded": Paper(occluded, OCCLUDED_STAGES, covered_batch),
    "unpaired": Paper(unpaired, UNPAIRED_STAGES, beside_batch),
    "idferm": Paper(idferm, IDFERM_STAGES, person_batch),
}


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all parameters and buffers."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_bits(first: dict, second: dict) -> bool:
    """Whether two nested dicts of tensors and plain values are equal to the last bit."""
    if first.keys() != second.keys():
        return False
    return all(_same(first[key], second[key]) for key in first)


def _same(a, b) -> bool:
    if isinstance(a, dict):
        return same_bits(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
