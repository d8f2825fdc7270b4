"""Where data, results and notebooks are; an environment variable of the same name overrides each."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _place(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable, default)).expanduser().resolve()


def data() -> Path:
    """Prepared image sets and generated twins (``FERCORE_DATA``)."""
    return _place("FERCORE_DATA", ROOT / "data")


def results() -> Path:
    """Runs, rendered notebooks, tables and figures (``FERCORE_RESULTS``)."""
    return _place("FERCORE_RESULTS", ROOT / "results")


def notebooks() -> Path:
    """Notebook sources, without outputs (``FERCORE_NOTEBOOKS``)."""
    return _place("FERCORE_NOTEBOOKS", ROOT / "notebooks")


def published() -> Path:
    """The papers' printed numbers, typed once (part of the repository)."""
    return ROOT / "results" / "published"
