"""Cut out every face of a reading, in parallel and resumable, and save the face set with how each was found."""

import contextlib
import json
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fercore.faces.faceset import FaceSet
from fercore.faces.landmarks import Detector, face_mesh
from fercore.faces.photo import PhotoError
from fercore.faces.preparation.framing import HOW, Crop, framed
from fercore.faces.preparation.image_file import ImageFile
from fercore.faces.preparation.reading import Dataset, DatasetError, Shot, references
from fercore.storage import digest, whole_file, write_json

BLOCK = 64  # pictures that one process does at a time, and that an interruption can lose
NOT_THERE = ("excluded", "damaged")


@dataclass(frozen=True)
class Work:
    """What every process needs; inherited, never sent."""

    dataset: Dataset
    shots: Sequence[Shot]
    crop: Crop
    images: ImageFile
    detector: Callable[[], Detector]


_work: Work | None = None
_detect: Detector | None = None


def prepare(
    dataset: Dataset,
    shots: Sequence[Shot],
    crop_name: str,
    crop: Crop,
    folder: Path,
    workers: int = 2,
    detector: Callable[[], Detector] = face_mesh,
) -> tuple[FaceSet, pd.DataFrame]:
    """The face set of ``shots``, saved to ``folder``, and one row per picture that says how its face was found.

    Interrupted and called again, it goes on after the blocks that are done. Raises DatasetError where nothing is left.
    """
    scratch = folder.with_name(f".{folder.name}.unfinished")
    shape = (len(shots), crop.size, crop.size, *((3,) if crop.colour else ()))
    cause = digest(repr([shape, crop_name, crop.fit, [(s.name, s.subject, s.label) for s in shots]]).encode())
    images, found = _take_up(scratch, shape, cause)
    _cut_all(Work(dataset, shots, crop, images, detector), found, scratch, workers)
    about = {"picture": [shot.name for shot in shots], "subject": [shot.subject for shot in shots]}
    framing = pd.DataFrame(about | _columns(found, len(shots)))
    kept = np.flatnonzero(~framing["how"].isin(NOT_THERE))
    if not len(kept):
        raise DatasetError(f"no face was found on any of the {len(shots)} pictures; look at some of them")
    if len(kept) < len(shots):
        images = images.only(kept, scratch / "kept.npy")
    table = manifest([shots[row] for row in kept], dataset.reference)
    origin = "licensed" if dataset.licensed else "open"
    faces = FaceSet(folder.name, images.opened(), table, origin, dataset.credit).save(folder, images.file)
    with whole_file(folder / "framing.csv") as aside:
        framing.to_csv(aside, index=False)
    shutil.rmtree(scratch, ignore_errors=True)
    return faces, framing


def manifest(shots: Sequence[Shot], reference: str) -> pd.DataFrame:
    """The face set's table, one row per shot."""
    names = ("subject", "sequence", "frame", "label", "intensity", "modality", "split", "native")
    table = pd.DataFrame({name: [getattr(shot, name) for shot in shots] for name in names})
    return table.assign(reference=references(shots, reference))


def _take_up(scratch: Path, shape: tuple[int, ...], cause: str) -> tuple[ImageFile, dict[int, dict]]:
    """The images so far and the blocks that are done."""
    about, file = scratch / "cause.json", scratch / "images.npy"
    if not (about.is_file() and file.is_file() and json.loads(about.read_text()) == {"cause": cause}):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        np.lib.format.open_memmap(file, "w+", np.uint8, shape).flush()
        write_json(about, {"cause": cause})
    done = {int(block.stem): json.loads(block.read_text()) for block in scratch.glob("[0-9]*.json")}
    return ImageFile(file, shape), done


def _cut_all(work: Work, found: dict[int, dict], scratch: Path, workers: int) -> None:
    global _work
    _work = work
    blocks = _blocks(work.shots)
    left = [i for i in range(len(blocks)) if i not in found]
    context = multiprocessing.get_context("fork")  # the pictures are inherited, not sent
    with tqdm(total=len(work.shots), unit="picture", desc=work.dataset.title) as bar, contextlib.ExitStack() as stack:
        bar.update(sum(stop - start for i, (start, stop) in enumerate(blocks) if i in found))
        if workers > 1 and left:
            pool = stack.enter_context(ProcessPoolExecutor(workers, context, initializer=_alone))
            results = pool.map(_cut_block, [blocks[i] for i in left])
        else:
            results = map(_cut_block, [blocks[i] for i in left])
        for i, result in zip(left, results, strict=True):
            write_json(scratch / f"{i}.json", result)
            found[i] = result
            bar.update(blocks[i][1] - blocks[i][0])


def _alone() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _blocks(shots: Sequence[Shot]) -> list[tuple[int, int]]:
    """Ranges of about BLOCK shots that never part a sequence: its pictures help each other."""
    ends = [i for i in range(1, len(shots)) if _key(shots[i]) != _key(shots[i - 1])] + [len(shots)]
    blocks, start = [], 0
    for end in ends:
        if end - start >= BLOCK or end == len(shots):
            blocks.append((start, end))
            start = end
    return blocks


def _key(shot: Shot) -> tuple[str, str, str]:
    return shot.subject, shot.sequence, shot.modality


def _cut_block(block: tuple[int, int]) -> dict:
    """Cut the faces of one block into the shared images; how each was found, its points and what went wrong."""
    how, points, problems = [], [], []
    previous, last = None, None
    for row in range(*block):
        shot = _work.shots[row]
        if _key(shot) != last:
            previous, last = None, _key(shot)
        one, where, problem = _cut_one(shot, row, previous)
        previous = where if where is not None else previous
        how.append(one)
        points.append(None if where is None else np.round(where, 2).ravel().tolist())
        problems.append(problem)
    return {"start": block[0], "how": how, "points": points, "problem": problems}


def _cut_one(shot: Shot, row: int, previous: np.ndarray | None) -> tuple[str, np.ndarray | None, str]:
    try:
        official = shot.points() if shot.points is not None else None
        face, how, points = framed(
            shot.image(), _work.crop, official, _detector, previous, _work.dataset.already_cropped
        )
    except (PhotoError, ValueError) as error:  # a damaged picture or a damaged file of landmarks
        return "damaged", None, str(error)
    if face is not None:
        _work.images.put(row, face)
    return how, points, "no face found" if how == "excluded" else ""


def _detector(image: np.ndarray) -> np.ndarray:
    """The process's own detector, made when the first picture needs it."""
    global _detect
    if _detect is None or _detect[0] is not _work:
        _detect = (_work, _work.detector())
    return _detect[1](image)


def _columns(found: dict[int, dict], count: int) -> dict[str, list]:
    columns = {"how": [""] * count, "problem": [""] * count} | {f"p{i}": [np.nan] * count for i in range(10)}
    for block in found.values():
        for i, (how, points, problem) in enumerate(zip(block["how"], block["points"], block["problem"], strict=True)):
            row = block["start"] + i
            columns["how"][row], columns["problem"][row] = how, problem
            for j, value in enumerate(points or []):
                columns[f"p{j}"][row] = value
    return columns


def summary(framing: pd.DataFrame) -> dict[str, int]:
    """Pictures by how their face was found."""
    counts = Counter(framing["how"])
    return {how: counts[how] for how in HOW if counts[how]}
