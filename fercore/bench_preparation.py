"""Measure the preparation of large sources: time, and memory that must not grow with them.

Trees of the true size are made from a few drawn pictures, linked under the true names; part of ``make bench``.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fercore import paths
from fercore.quality.samples import people
from fercore.twins.renderer import render

CODES = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
CKPLUS_IMAGES, RAFDB_IMAGES = 10_708, 15_339


def measured(place: Path) -> dict[str, dict[str, float]]:
    """Seconds and megabytes of each preparation, in fresh processes; ``place`` is an empty folder."""
    figures = {}
    for name, dataset, make in (
        (f"CK+, {CKPLUS_IMAGES} images of 640 x 490", "ckplus", ckplus_tree),
        (f"RAF-DB, {RAFDB_IMAGES} images of 100 x 100", "rafdb", lambda root: rafdb_tree(root, RAFDB_IMAGES)),
        ("10000 images of 100 x 100", "rafdb", lambda root: rafdb_tree(root, 10_000)),
        ("99999 images of 100 x 100", "rafdb", lambda root: rafdb_tree(root, 99_999)),
    ):
        root = place / name.replace(" ", "_")
        make(root / "source")
        figures[f"prepare {name}"] = _prepared(dataset, root)
    return figures


def _prepared(dataset: str, root: Path) -> dict[str, float]:
    command = [sys.executable, paths.ROOT / "data_prep" / f"{dataset}.py", "--source", root / "source"]
    started = time.perf_counter()
    watch = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, "
        "stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    inner = [sys.executable, "-c", watch, *command, "--output", root / "set", "--incomplete"]
    ended = subprocess.run(inner, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if not (root / "set" / "certificate.json").is_file():
        raise RuntimeError(f"{dataset} was not prepared; run its script on such a tree to see why")
    return {"seconds": seconds, "largest process, MB": int(ended.stdout) / 1024}


def _drawn(root: Path, width: int, height: int, suffix: str) -> Iterator[Path]:
    """A few drawn faces of that size, over and over."""
    root.mkdir(parents=True)
    faces = render(people(3)[0], 224)
    files = []
    for i, face in enumerate(faces):
        square = Image.fromarray(face).resize((height, height), Image.Resampling.BICUBIC)
        canvas = Image.fromarray(np.full((height, width), int(face[0, 0]), np.uint8))
        canvas.paste(square, ((width - height) // 2, 0))
        files.append(root / f"{i}{suffix}")
        canvas.save(files[-1])
    return itertools.cycle(files)


def ckplus_tree(root: Path) -> None:
    """CK+ with its true sequences: 327 labelled ones, 266 others, landmarks for every image."""
    pictures = _drawn(root.parent / "drawn", 640, 490, ".png")
    listed = pd.read_csv(paths.ROOT / "fercore" / "faces" / "ckplus_sequences.csv", dtype=str)
    known = [(row.subject, row.sequence, row.label) for row in listed.itertuples()]
    people_ = [*sorted(listed["subject"].unique()), *(f"S{n}" for n in range(900, 905))]
    unknown = [(people_[n % len(people_)], f"{100 + n:03d}", "") for n in range(593 - len(known))]
    lengths = [CKPLUS_IMAGES // 593 + (n < CKPLUS_IMAGES % 593) for n in range(593)]
    marks = root.parent / "landmarks.txt"
    marks.write_text("\n".join(f"   {x:.7e}   {y:.7e}" for x, y in _marks()))
    for (subject, sequence, label), length in zip([*known, *unknown], lengths, strict=True):
        for frame in range(1, length + 1):
            stem = Path(subject, sequence, f"{subject}_{sequence}_{frame:08d}")
            _link(next(pictures), root / "cohn-kanade-images" / stem.with_suffix(".png"))
            _link(marks, root / "Landmarks" / f"{stem}_landmarks.txt")
        if label:
            file = root / "Emotion" / f"{stem}_emotion.txt"
            file.parent.mkdir(parents=True)
            file.write_text(f"   {CODES[label]:.7e}\n")


def _marks() -> np.ndarray:
    """68 points of a face in the middle of 640 x 490: eyes, nose, mouth where they belong, the rest anywhere."""
    marks = np.full((68, 2), (320.0, 245.0))
    marks[36:42], marks[42:48], marks[30] = (237, 176), (403, 176), (320, 278)
    marks[48], marks[54] = (256, 356), (384, 356)
    return marks


def rafdb_tree(root: Path, count: int) -> None:
    """RAF-DB with ``count`` aligned images, one in five for testing, labels in turn."""
    pictures, lines = _drawn(root.parent / "drawn", 100, 100, ".jpg"), []
    for n in range(count):
        name = f"test_{n // 5:04d}" if n % 5 == 0 and n < 50_000 else f"train_{n:05d}"
        _link(next(pictures), root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg")
        lines.append(f"{name}.jpg {n % 7 + 1}")
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("\n".join(lines) + "\n")


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for what, found in measured(Path(folder)).items():
            print(what, {name: round(value, 1) for name, value in found.items()}, flush=True)
