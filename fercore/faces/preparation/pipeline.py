"""Cut out every face of a reading, in parallel and resumable, and save the face set with how each was found."""

import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fercore.faces.faceset import FaceSet
from fercore.faces.landmarks import Detector, face_mesh
from fercore.faces.preparation.cutting import Work, begin, cut_block, sequence_of
from fercore.faces.preparation.framing import Crop
from fercore.faces.preparation.image_file import ImageFile
from fercore.faces.preparation.reading import Dataset, DatasetError, Shot, references
from fercore.faces.preparation.source import File
from fercore.storage import whole_file, write_json

BLOCK = 64  # pictures that one process does at a time, and that an interruption can lose
NOT_THERE = ("excluded", "damaged")


def prepare(
    dataset: Dataset,
    shots: list[Shot],
    crop_name: str,
    crop: Crop,
    folder: Path,
    workers: int = 2,
    detector: Callable[[], Detector] = face_mesh,
) -> tuple[FaceSet, pd.DataFrame]:
    """The face set of ``shots``, saved to ``folder``, and one row per picture that says how its face was found.

    Interrupted and called again, it goes on after the blocks that are done; in the end ``shots`` is empty. Raises
    DatasetError where no face is left.
    """
    scratch = folder.with_name(f".{folder.name}.unfinished")
    with _only_here(scratch):
        shape = (len(shots), crop.size, crop.size, *((3,) if crop.colour else ()))
        cause = _cause([shape, crop_name, crop.fit], shots)
        images, found = _take_up(scratch, shape, cause)
        _cut_all(Work(dataset, shots, crop, images, detector), found, scratch, workers)
        framing = _framing(shots, found)
        kept = np.flatnonzero(~framing["how"].isin(NOT_THERE))
        if not len(kept):
            raise DatasetError(f"no face was found on any of the {len(shots)} pictures; look at some of them")
        finished = scratch / "finished.npy"  # the set takes it away; the scratch images stay until the set is whole
        finished.unlink(missing_ok=True)
        if len(kept) < len(shots):
            images = images.only(kept, finished)
        else:
            os.link(images.file, finished)
        table = manifest([shots[row] for row in kept], dataset.reference)
        found.clear()
        shots.clear()  # of a large set they would stand in memory beside its tables
        origin = "licensed" if dataset.licensed else "open"
        faces = FaceSet(folder.name, images.opened(), table, origin, dataset.credit).save(folder, finished)
        with whole_file(folder / "framing.csv") as aside:
            framing.to_csv(aside, index=False)
    shutil.rmtree(scratch, ignore_errors=True)
    return faces, framing


@contextlib.contextmanager
def _only_here(scratch: Path) -> Iterator[None]:
    """Hold ``scratch`` for this process (a kernel lock, which no killed process leaves behind); raises DatasetError."""
    scratch.mkdir(parents=True, exist_ok=True)
    place = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DatasetError(f"another process is preparing {scratch.name[1:-11]} now; wait for it") from error
    except BrokenProcessPool as error:
        raise DatasetError(
            "a process died, perhaps of too little memory; the same command goes on, try --workers 1"
        ) from error
    finally:
        os.close(place)


def _cause(settings: Sequence, shots: Sequence[Shot]) -> str:
    """What a half-finished preparation was made of: only the same may go on with it."""
    total = hashlib.sha256(repr([BLOCK, *settings]).encode())
    for s in shots:
        size = s.image.size if isinstance(s.image, File) else 0  # another one where a damaged file was replaced
        total.update(repr((s.name, s.subject, s.sequence, s.label, s.points is None, size)).encode())
    return total.hexdigest()


def manifest(shots: Sequence[Shot], reference: str) -> pd.DataFrame:
    """The face set's table, one row per shot."""
    names = ("subject", "sequence", "frame", "label", "intensity", "modality", "split", "native")
    table = pd.DataFrame({name: [getattr(shot, name) for shot in shots] for name in names})
    return table.assign(reference=references(shots, reference))


def _take_up(scratch: Path, shape: tuple[int, ...], cause: str) -> tuple[ImageFile, dict[int, dict]]:
    """The images so far and the blocks that are done."""
    about, file = scratch / "cause.json", scratch / "images.npy"
    if not (about.is_file() and file.is_file() and json.loads(about.read_text()) == {"cause": cause}):
        for former in scratch.iterdir():
            former.unlink()
        np.lib.format.open_memmap(file, "w+", np.uint8, shape).flush()
        write_json(about, {"cause": cause})
    done = {int(block.stem): json.loads(block.read_text()) for block in scratch.glob("[0-9]*.json")}
    return ImageFile(file, shape), done


def _cut_all(work: Work, found: dict[int, dict], scratch: Path, workers: int) -> None:
    begin(work)
    blocks = _blocks(work.shots)
    left = [i for i in range(len(blocks)) if i not in found]
    context = multiprocessing.get_context("fork")  # the pictures are inherited, not sent
    with tqdm(total=len(work.shots), unit="picture", desc=work.dataset.title) as bar, contextlib.ExitStack() as stack:
        bar.update(sum(stop - start for i, (start, stop) in enumerate(blocks) if i in found))
        if workers > 1 and left:
            pool = ProcessPoolExecutor(workers, context, initializer=_alone, initargs=(os.getpid(),))
            stack.callback(pool.shutdown, cancel_futures=True)  # else an interruption would wait for all of them
            results = pool.map(cut_block, [blocks[i] for i in left])
        else:
            results = map(cut_block, [blocks[i] for i in left])
        for i, result in zip(left, results, strict=True):
            write_json(scratch / f"{i}.json", result)
            found[i] = result
            bar.update(blocks[i][1] - blocks[i][0])


def _alone(parent: int) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its processes
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A process whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _blocks(shots: Sequence[Shot]) -> list[tuple[int, int]]:
    """Ranges of about BLOCK shots that never part a sequence: its pictures help each other."""
    ends = [i for i in range(1, len(shots)) if sequence_of(shots[i]) != sequence_of(shots[i - 1])] + [len(shots)]
    blocks, start = [], 0
    for end in ends:
        if end - start >= BLOCK or end == len(shots):
            blocks.append((start, end))
            start = end
    return blocks


def _framing(shots: Sequence[Shot], found: dict[int, dict]) -> pd.DataFrame:
    """One row per picture: how its face was found, what was wrong, and where its five points are."""
    points, how, problems = np.full((len(shots), 10), np.nan, np.float32), [], []
    for _, block in sorted(found.items()):
        how += block["how"]
        problems += block["problem"]
        for row, where in enumerate(block["points"], block["start"]):
            if where is not None:
                points[row] = where
    about = {"picture": [s.name for s in shots], "subject": [s.subject for s in shots], "how": how, "problem": problems}
    return pd.DataFrame(about).join(pd.DataFrame(points, columns=[f"p{i}" for i in range(10)]))
