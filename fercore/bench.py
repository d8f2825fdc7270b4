"""Measure what the project promises: ``make bench`` prints a table and writes ``results/bench.json``.

``python -m fercore.bench PART ...`` measures some parts anew and leaves the others as they are.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import pandas as pd
import torch

from fercore import bench_idferm, bench_paper_tier, bench_preparation, bench_steps, bench_unpaired, paths, provenance
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
    faces = open_faces("ckplus", "twin", config.stored_size)
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


def preparation() -> dict[str, dict[str, float]]:
    """Sources of the true size, prepared in an empty place."""
    with tempfile.TemporaryDirectory() as place:
        return bench_preparation.measured(Path(place))


def drawing() -> dict[str, dict[str, float]]:
    """How fast faces are drawn."""
    rates = {f"{size} px {what}": speed.rate(size, what, count=20) for size, what, _ in speed.PROMISED}
    return {"drawn faces, images/s of one core": rates}


Figures = Iterable[tuple[str, dict[str, float]]]  # what was measured -> name of a figure -> value
PARTS: dict[str, Callable[[], Figures]] = {
    "loop": lambda: ((f"training loop, {variant}", loop_overhead(variant)) for variant in ("CNN", "S1R1")),
    "steps": lambda: (bench_steps.measured() | bench_unpaired.measured() | bench_idferm.measured()).items(),
    "drawing": lambda: drawing().items(),
    "preparation": lambda: preparation().items(),
    "paper": bench_paper_tier.measured,
    "gcnet": lambda: [("make reproduce, tier twin", reproduction("gcnet"))],
    "occluded": lambda: [("make reproduce PAPER=occluded, tier twin", reproduction("occluded"))],
    "unpaired": lambda: [("make reproduce PAPER=unpaired, tier twin", reproduction("unpaired"))],
    "idferm": lambda: [("make reproduce PAPER=idferm, tier twin", reproduction("idferm"))],
}
ON_GPU = {"paper"}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts asked for, print them, and put them into ``results/bench.json`` beside the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of {', '.join(PARTS)}")
    asked = parser.parse_args(arguments).parts
    if unknown := set(asked) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; valid: {', '.join(PARTS)}")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    if not gpu and (impossible := ON_GPU & set(asked)):
        parser.error(f"part {', '.join(impossible)} needs a GPU, and this machine has none that torch can use")
    if not gpu and not asked:
        print(f"left out, since they need a GPU: {', '.join(sorted(ON_GPU))}")
        asked = [part for part in PARTS if part not in ON_GPU]
    torch.set_num_threads(1)
    file = paths.results() / "bench.json"
    known = json.loads(file.read_text()) if file.is_file() else {"measured": {}, "with": {}}
    cause = {"commit": provenance.commit(), "cores": os.cpu_count(), "machine": provenance.processor()}
    for part in asked or PARTS:
        for what, figures in PARTS[part]():
            known["measured"][what] = figures
            known["with"][what] = cause | ({"GPU": gpu} if part in ON_GPU else {}) | provenance.versions()
            write_json(file, known)  # what is measured is kept, whatever comes after
            for name, value in figures.items():
                print(f"{what:46} {name:38} {value:10.3f}")


if __name__ == "__main__":
    main()
