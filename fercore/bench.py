"""Measure what the project promises: ``make bench`` prints a table and writes ``results/bench.json``.

``--quick`` leaves out the whole reproduction and the large preparations, which take as long as they take.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pandas as pd
import torch

from fercore import bench_preparation, bench_steps, paths, provenance
from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.faces.protocols import PROTOCOLS, divide
from fercore.faces.sources import open_faces
from fercore.papers.gcnet import TIERS, VARIANTS, GCNet
from fercore.quality import speed
from fercore.storage import write_json
from fercore.training import Course, fit

ROUNDS = 7  # fit and the bare loop take turns, so that both see the same moods of the machine
EPOCHS = 3  # whole ones, so that what fit does once per epoch weighs as it does in training, and once per call more


def loop_overhead(variant: str) -> dict[str, float]:
    """Images per second of ``fit`` over those of bare steps on one batch in memory; the median of paired rounds."""
    config = TIERS["twin"]
    faces = open_faces("ckplus", "twin", config.image_size)
    division = divide(faces, PROTOCOLS["ckplus7"], 0)
    examples = Examples(faces, division.train, config.image_size)
    augmentation = Augmentation(config.scale, config.rotation, config.intensity)
    method = GCNet(config, len(division.classes), VARIANTS[variant]).to(memory_format=torch.channels_last)
    batch = next(examples.epoch(config.batch_size, torch.Generator(), augmentation))
    steps = EPOCHS * (len(examples) // config.batch_size)

    def bare() -> None:
        method.train()
        for _ in range(steps):
            method.step(batch)

    def trained() -> None:
        course = Course(method.iteration + steps, config.batch_size, 0, augmentation)
        fit(method, examples, course)

    bare()  # warm
    pairs = [(_seconds(bare), _seconds(trained)) for _ in range(ROUNDS)]
    images = steps * config.batch_size
    return {
        "fit, images/s": images / median(fitted for _, fitted in pairs),
        "bare steps, images/s": images / median(plain for plain, _ in pairs),
        "ratio": median(plain / fitted for plain, fitted in pairs),
    }


def reproduction(paper: str = "gcnet") -> dict[str, float]:
    """``make reproduce`` into empty folders, then again: seconds, peak memory, share of time outside training."""
    with tempfile.TemporaryDirectory() as place:
        places = {"FERCORE_DATA": f"{place}/data", "FERCORE_RESULTS": f"{place}/results"}
        make = ["make", "reproduce", f"PAPER={paper}", "TIER=twin"]

        def reproduce() -> None:
            subprocess.run(make, cwd=paths.ROOT, env=os.environ | places, check=True)

        first, second = _seconds(reproduce), _seconds(reproduce)
        jobs = [pd.read_csv(file, sep="\t") for file in Path(place).rglob("*.benchmark")]
        jobs = pd.concat(jobs, ignore_index=True)
        runs = [json.loads(file.read_text()) for file in Path(place).rglob("run.json")]
    training = sum(run["seconds"] for run in runs)
    return {
        "first call, s": first,
        "second call, s": second,
        "largest process tree, MB": float(jobs["max_rss"].max()),
        "largest training process, MB": float(max(run["peak_memory_mb"] for run in runs)),
        "share of job time outside training": 1 - training / float(jobs["s"].sum()),
        "runs": float(len(runs)),
    }


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only training, testing and the drawing of faces")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    measured = {f"training loop, {variant}": loop_overhead(variant) for variant in ("CNN", "S1R1")}
    measured |= bench_steps.measured()
    measured["drawn faces, images/s of one core"] = {
        f"{size} px {modality}": speed.rate(size, modality, count=20) for size, modality, _ in speed.PROMISED
    }
    if not quick:
        measured["make reproduce, tier twin"] = reproduction()
        with tempfile.TemporaryDirectory() as place:
            measured |= bench_preparation.measured(Path(place))
    cause = {"commit": provenance.commit(), "cores": os.cpu_count(), "machine": platform.machine()}
    write_json(paths.results() / "bench.json", {"measured": measured, "with": cause | provenance.versions()})
    for what, figures in measured.items():
        for name, value in figures.items():
            print(f"{what:42} {name:38} {value:10.3f}")


if __name__ == "__main__":
    main()
