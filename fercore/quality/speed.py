"""Images per second of one core's time."""

import time

import torch

from fercore.quality.report import Check
from fercore.quality.samples import people
from fercore.twins.renderer import Face, render

TRIES, LASTING = 5, 0.5  # at least, and for as many seconds per person: a busy machine has moods of seconds
PROMISED = ((64, "gray", 450), (224, "rgb", 30), (64, "thermal", None))  # size, modality, images per second


def rate(size: int, modality: str, count: int = 10) -> float:
    """Images that are drawn in a second of processor time, on one thread: the best of many tries, as timers do.

    What else a machine does makes a try slower, never faster.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        faces, _ = people(count)
        render(faces[:8], size, modality=modality)  # warm
        took, started = [], time.monotonic()
        while len(took) < TRIES or time.monotonic() - started < LASTING * count:
            took.append(_seconds(faces, size, modality))
        return len(faces) / min(took)
    finally:
        torch.set_num_threads(before)


def _seconds(faces: list[Face], size: int, modality: str) -> float:
    started = time.process_time()
    render(faces, size, modality=modality)
    return time.process_time() - started


def checks(count: int = 10) -> list[Check]:
    """The speeds that the project promises, in images per second of processor time."""
    note = f"{7 * count} images, one thread, best of {TRIES} tries or more"
    return [
        Check(f"drawn per second, {size} px {what}", rate(size, what, count), least, None, note)
        for size, what, least in PROMISED
    ]
