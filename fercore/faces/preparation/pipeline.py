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
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fercore.faces.faceset import assemble
from fercore.faces.landmarks import Detector, face_mesh
from fercore.faces.preparation import written
from fercore.faces.preparation.cutting import Work, begin, cut_block, sequence_of
from fercore.faces.preparation.framing import Crop, Framing
from fercore.faces.preparation.image_file import ImageFile
from fercore.faces.preparation.reading import Dataset, DatasetError, Shot
from fercore.faces.preparation.source import File
from fercore.storage import write_json

BLOCK = 64  # pictures that one process does at a time, and that an interruption can lose


def prepare(
    dataset: Dataset,
    shots: Sequence[Shot],
    crop_name: str,
    crop: Crop,
    folder: Path,
    workers: int = 2,
    detector: Callable[[], Detector] = face_mesh,
) -> Framing:
    """Save the face set of ``shots`` to ``folder``; says how their faces were found.

    Interrupted and called again, it goes on after the blocks that are done. Raises DatasetError where no face is left.
    """
    scratch = folder.with_name(f".{folder.name}.unfinished")
    with _only_here(scratch):
        shape = (len(shots), crop.size, crop.size, *((3,) if crop.colour else ()))
        images = _take_up(scratch, shape, _cause([shape, crop_name, crop.fit], shots))
        _cut_all(Work(dataset, crop, images, detector), shots, scratch, workers)
        framing, kept = written.framing(scratch / "framing.csv", shots, _blocks_done(scratch))
        if not kept.any():
            raise DatasetError(f"no face was found on any of the {len(shots)} pictures; look at some of them")
        finished = scratch / "finished.npy"  # the set takes it away; the scratch images stay until the set is whole
        finished.unlink(missing_ok=True)
        if kept.all():
            os.link(images.file, finished)
        else:
            images.only(np.flatnonzero(kept), finished)
        table = scratch / "manifest.csv"
        written.manifest(table, shots, kept, dataset.reference)
        origin = "licensed" if dataset.licensed else "open"
        assemble(folder, finished, table, origin, dataset.credit)
        (scratch / "framing.csv").rename(folder / "framing.csv")
    shutil.rmtree(scratch, ignore_errors=True)
    return framing


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


def _take_up(scratch: Path, shape: tuple[int, ...], cause: str) -> ImageFile:
    """The images so far; what was made of something else is removed."""
    about, file = scratch / "cause.json", scratch / "images.npy"
    if not (about.is_file() and file.is_file() and json.loads(about.read_text()) == {"cause": cause}):
        for former in scratch.iterdir():
            former.unlink()
        np.lib.format.open_memmap(file, "w+", np.uint8, shape).flush()
        write_json(about, {"cause": cause})
    return ImageFile(file, shape)


def _blocks_done(scratch: Path) -> Iterator[dict]:
    """What was said of each block, in their order."""
    for number in sorted(int(file.stem) for file in scratch.glob("[0-9]*.json")):
        yield json.loads((scratch / f"{number}.json").read_text())


def _cut_all(work: Work, shots: Sequence[Shot], scratch: Path, workers: int) -> None:
    begin(work)
    with tqdm(total=len(shots), unit="picture", desc=work.dataset.title) as bar, contextlib.ExitStack() as stack:

        def left() -> Iterator[tuple[Path, int, list[Shot]]]:
            for number, (start, block) in enumerate(_blocks(shots)):
                if (file := scratch / f"{number}.json").is_file():
                    bar.update(len(block))
                else:
                    yield file, start, block

        if workers > 1:
            context = multiprocessing.get_context("fork")  # detectors and the work are inherited, not sent
            pool = ProcessPoolExecutor(workers, context, initializer=_alone, initargs=(os.getpid(),))
            stack.callback(pool.shutdown, cancel_futures=True)  # else an interruption would wait for all of them
            results = _side_by_side(pool, left(), 2 * workers)
        else:
            results = ((file, cut_block(start, block)) for file, start, block in left())
        for file, result in results:
            write_json(file, result)
            bar.update(len(result["how"]))


def _side_by_side(pool: ProcessPoolExecutor, blocks: Iterator[tuple], ahead: int) -> Iterator[tuple[Path, dict]]:
    """Results in order; only a few blocks are handed out ahead, for all of them would stand in memory."""
    under_way: deque = deque()
    for file, start, block in blocks:
        under_way.append((file, pool.submit(cut_block, start, block)))
        if len(under_way) >= ahead:
            first, result = under_way.popleft()
            yield first, result.result()
    for file, result in under_way:
        yield file, result.result()


def _alone(parent: int) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its processes
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A process whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _blocks(shots: Sequence[Shot]) -> Iterator[tuple[int, list[Shot]]]:
    """About BLOCK shots each with the row of the first, never parting a sequence: its pictures help each other."""
    start, block = 0, []
    for shot in shots:
        if len(block) >= BLOCK and sequence_of(shot) != sequence_of(block[-1]):
            yield start, block
            start, block = start + len(block), []
        block.append(shot)
    if block:
        yield start, block
