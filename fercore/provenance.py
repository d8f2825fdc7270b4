"""What a result was made with: code, versions, commit."""

import os
import platform
import subprocess
from collections.abc import Collection
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fercore import paths
from fercore.storage import digest

TRAINING_CODE = (  # what decides about a run's numbers, below fercore
    *("method.py", "training.py", "schedules.py", "runs.py", "stages.py", "predictions.py", "normalised.py"),
    *("losses", "networks", "papers", "compared"),
    "twins",  # also behind runs on photographs, whose weights start from drawn faces
    *(f"faces/{name}.py" for name in ("faceset", "folds", "protocols", "sources")),
    *(f"faces/{name}.py" for name in ("augmentation", "batches", "examples", "occlusion", "patch_points")),
    *(f"faces/{name}.py" for name in ("accompanied", "label_sets", "modalities", "streams")),
    "faces/mean_face.csv",
)
MADE_FROM = ("fercore", "notebooks", "results/published")  # code, claims and printed numbers
PACKAGES = ("torch", "torchvision", "numpy", "pandas", "scikit-learn", "scipy")


@cache
def source_digest(paper: str) -> str:
    """A short hash of the code that training this paper's methods runs through."""
    package = paths.ROOT / "fercore"
    files = []
    for name in TRAINING_CODE:
        place = package / name
        files += [place] if place.is_file() else sorted(place.glob("*.py"))
    files = [f for f in files if f.parent.name != "papers" or f.stem in (paper, "__init__")]
    return digest(*files)[:12]


@cache
def commit() -> str:
    """The repository's commit, with "+changes" where files differ from it or are new; "unknown" without one."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--", *MADE_FROM)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+changes" if changed else "")


def versions() -> dict[str, str]:
    """Versions of the packages that decide about numbers."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def origin(runs: Collection, asked: int, what: str = "runs") -> list[str]:
    """What a stamp says of how results were made: by which commits, where, from what, how many are missing or stale.

    runs: the finished ones of those ``asked``, each with its record ``about`` and whether it is ``stale``.
    """
    commits = sorted({run.about["commit"] for run in runs}) or [commit()]
    places = {_place(run.about) for run in runs}
    known, partly = sorted(places - {""}), "partly " * ("" in places)
    notes = [(note, run.about["data"]) for run in runs for note in run.about.get("learned_from", ())]
    others = [note for note, own in notes if note["fingerprint"] != own["fingerprint"]]
    earlier = sorted({f"{note['dataset']} ({note['source']})" for note in others})
    missing, stale = asked - len(runs), sum(run.stale for run in runs)
    return [
        "commit " + ", ".join(commits),
        *[f"{partly}trained on {', '.join(known)}"] * bool(known),
        *["started from or beside " + ", ".join(earlier)] * bool(earlier),
        *[f"{missing} of {asked} {what} missing"] * bool(missing),
        *[f"{stale} of {len(runs)} {what} made with other code or images than today's"] * bool(stale),
    ]


def _place(about: dict) -> str:
    device = about.get("device", "cpu")
    return device if device != "cpu" else about.get("processor", "")


@cache
def processor() -> str:
    """The processor's name and the widest vectors that torch computes with on it: both decide about last digits."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    import torch  # costs seconds where only stamps are read

    name = next(filter(None, names), "") or platform.processor() or platform.machine()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


def trace(run: Path) -> None:
    """Note that a run was read, in the file that ``FERCORE_TRACE`` names: a page can tell what it was made from."""
    if file := os.environ.get("FERCORE_TRACE"):
        with open(file, "a") as notes:
            notes.write(f"{run.relative_to(paths.results() / 'runs').as_posix()}\n")


def _git(*words: str) -> str:
    command = ["git", "-C", str(paths.ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
