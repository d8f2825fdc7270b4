"""Who shows which expression in which laboratory twin, and how far it has unfolded in each frame."""

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
EPISODE = (0.0, 0.7, 1.0, 0.9, 0.75)  # a rest, then the frames of an annotated episode


@dataclass(frozen=True)
class Take:
    """One recording: a subject performs one expression."""

    subject: str
    sequence: str
    label: str
    split: str = ""  # of the dataset's own division, where it has one
    session: str = ""  # light, background and camera of a day; "" keeps those of the subject
    yaw: float | None = None  # radians; of a camera that stands where it stands; None draws the head's own


def ckplus_cast() -> list[Take]:
    """The 327 labelled sequences of the 118 real subjects' identifiers."""
    rows = pd.read_csv(CKPLUS_LIST, dtype=str).sort_values(["subject", "sequence"])
    return [Take(*row) for row in rows[["subject", "sequence", "label"]].itertuples(index=False)]


def mmi_cast() -> list[Take]:
    """205 sequences of 30 subjects: each class goes round the subjects, starting where the previous one ended."""
    shown = round_robin(MMI_SUBJECTS, MMI_COUNTS)
    return [Take(s, f"{100 + i:03d}", label) for s, labels in shown.items() for i, label in enumerate(labels)]


def oulu_cast() -> list[Take]:
    """80 subjects, each with the six basic expressions; a sequence is named after its expression, as on disk."""
    return [Take(f"P{n:03d}", label.capitalize(), label) for n in range(1, 81) for label in BASIC]


MAHNOB_EPISODES = {"laughter": 563, "speech": 849, "posed_laughter": 51}  # of 22 people (Petridis et al. 2013)


def mahnob_cast() -> list[Take]:
    """563 laughs, 849 utterances and 51 posed laughs of 22 people; frames per episode are fewer than the papers'."""
    shown = round_robin([f"S{n:03d}" for n in range(1, 23)], MAHNOB_EPISODES)
    return [Take(s, f"{i:03d}", label) for s, labels in shown.items() for i, label in enumerate(labels)]


MMSE_FRAMES = {"neutral": 484, "happiness": 676, "surprise": 715, "pain": 593}  # 2468 of 72 people (Yang et al. 2018)


def mmse_cast() -> list[Take]:
    """2468 frames of 45 women and 27 men; every person's first frame is neutral."""
    people = [f"F{n:03d}" for n in range(1, 46)] + [f"M{n:03d}" for n in range(1, 28)]
    shown = round_robin(people, MMSE_FRAMES)
    return [Take(s, f"{i:03d}", label) for s, labels in shown.items() for i, label in enumerate(labels)]


SESSIONS = {1: 249, 2: 203, 3: 230, 4: 239}  # people at each Multi-PIE session, of 337
EXPRESSIONS = {  # of recordings 01, 02, 03; squint and scream, which no paper uses, are left out
    1: ("neutral", "happiness"), 2: ("neutral", "surprise"), 3: ("neutral", "happiness", "disgust"),
    4: ("neutral", "neutral"),
}  # fmt: skip
CAMERAS = {"05_1": 0, "13_0": -30, "14_0": -15, "05_0": 15, "04_1": 30}  # degrees; the frontal one first


def multipie_cast() -> list[Take]:
    """337 people, four sessions, the five cameras within 30 degrees; one light per picture instead of twenty."""
    people = [f"{n:03d}" for n in range(1, 338)]
    came = {n: set(np.random.default_rng([2010, n]).permutation(people)[: SESSIONS[n]]) for n in (2, 3, 4)}
    later = sorted(set.union(*came.values()), key=lambda s: (s not in came[2], s))
    first = [s for s in people if s not in later]  # nobody of the 337 was never there
    came[1] = {*first, *later[: SESSIONS[1] - len(first)]}
    return [
        Take(subject, f"{session:02d}_{recording:02d}_{camera}", label, "", f"{session:02d}", np.radians(degrees))
        for subject in people
        for session in SESSIONS
        if subject in came[session]
        for recording, label in enumerate(EXPRESSIONS[session], start=1)
        for camera, degrees in CAMERAS.items()
    ]


def round_robin(subjects, counts: dict[str, int]) -> dict[str, list[str]]:
    """Labels per subject: each class goes round the subjects, starting where the previous one ended."""
    shown: dict[str, list[str]] = {subject: [] for subject in subjects}
    order, position = list(shown), 0
    for label, count in counts.items():
        for _ in range(count):
            shown[order[position % len(order)]].append(label)
            position += 1
    return shown


def keep_subjects(takes: list[Take], limit: int | None) -> list[Take]:
    """All takes of ``limit`` subjects, evenly spaced over the list sorted by split, class and subject.

    The class counts only where a subject has a single take: there, a smaller set keeps its proportions.
    Raises ValueError for a number of subjects that there are not.
    """
    if limit is None:
        return takes
    last = {take.subject: (take.split, take.label, take.subject) for take in takes}
    singles = len(last) == len(takes)
    subjects = sorted(last, key=last.get) if singles else sorted(last)
    if not 1 <= limit <= len(subjects):
        raise ValueError(f"subjects must be between 1 and {len(subjects)}, not {limit}")
    kept = {subjects[int((i + 0.5) * len(subjects) / limit)] for i in range(limit)}
    return [take for take in takes if take.subject in kept]
