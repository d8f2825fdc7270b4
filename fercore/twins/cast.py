"""Who shows which expression in which twin, and how far it has unfolded in each frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore.paths import ROOT

CKPLUS_LIST = ROOT / "fercore" / "faces" / "ckplus_sequences.csv"  # subject, sequence, label of the 327 labelled ones
BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
MMI_SUBJECTS = tuple(f"S{n:03d}" for n in (1, 2, 3, 5, 6, 15, 16, 21, 28, *range(30, 51)))  # as public code names them
MMI_COUNTS = dict(zip(BASIC, (31, 32, 28, 42, 32, 40), strict=True))  # 205; the split usually quoted, not published

ONSET_TO_APEX = (0.0, 0.15, 0.30, 0.45, 0.60, 0.80, 0.92, 0.96, 1.0)
ONSET_APEX_OFFSET = (0.0, 0.30, 0.60, 0.85, 0.96, 1.0, 0.97, 0.80, 0.50, 0.25, 0.0)  # the middle three are the apex
SINGLE = (1.0,)


@dataclass(frozen=True)
class Take:
    """One recording: a subject performs one expression."""

    subject: str
    sequence: str
    label: str


def ckplus_cast() -> list[Take]:
    """The 327 labelled sequences of the 118 real subjects' identifiers."""
    rows = pd.read_csv(CKPLUS_LIST, dtype=str).sort_values(["subject", "sequence"])
    return [Take(*row) for row in rows[["subject", "sequence", "label"]].itertuples(index=False)]


def mmi_cast() -> list[Take]:
    """205 sequences of 30 subjects: each class goes round the subjects, starting where the previous one ended."""
    labels: dict[str, list[str]] = {subject: [] for subject in MMI_SUBJECTS}
    position = 0
    for label, count in MMI_COUNTS.items():
        for _ in range(count):
            labels[MMI_SUBJECTS[position % len(MMI_SUBJECTS)]].append(label)
            position += 1
    return [Take(s, f"{100 + i:03d}", label) for s, shown in labels.items() for i, label in enumerate(shown)]


def oulu_cast() -> list[Take]:
    """80 subjects, each with the six basic expressions; a sequence is named after its expression, as on disk."""
    return [Take(f"P{n:03d}", label.capitalize(), label) for n in range(1, 81) for label in BASIC]


def webface_cast(identities: int = 200, images: int = 25) -> list[Take]:
    """Single pictures for pre-training: the first of each identity is neutral, the others mixed, mostly posed."""
    labels = ("neutral", *BASIC)
    shares = (0.28, 0.08, 0.07, 0.07, 0.30, 0.09, 0.11)
    takes = []
    for n in range(identities):
        drawn = np.random.default_rng([20140907, n]).choice(labels, images - 1, p=shares)
        takes += [Take(f"W{n:05d}", f"{i:03d}", label) for i, label in enumerate(("neutral", *drawn))]
    return takes


def keep_subjects(takes: list[Take], limit: int | None) -> list[Take]:
    """All takes of ``limit`` subjects, evenly spaced over the sorted list."""
    subjects = sorted({take.subject for take in takes})
    if limit is None:
        return takes
    if not 1 <= limit <= len(subjects):
        raise ValueError(f"subjects must be between 1 and {len(subjects)}, not {limit}")
    kept = {subjects[int((i + 0.5) * len(subjects) / limit)] for i in range(limit)}
    return [take for take in takes if take.subject in kept]
