"""The runs that pages were made from: read from the run store, shown one anchor each."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from fercore import paths

LARGEST = 5_000_000  # bytes of a run.json; ours stay below 0.1 MB

NEEDED = {
    *("spec", "config", "data", "images", "test_subjects", "folds", "commit", "source_digest", "versions"),
    *("seconds", "peak_memory_mb"),
}


@dataclass(frozen=True)
class Record:
    """A run by its folder; ``about`` is None where the run store does not hold it."""

    place: str  # paper/data/run
    about: Mapping[str, Any] | None = None
    accuracy: float | None = None  # share of its test images; None where it classifies nothing

    @property
    def id(self) -> str:
        """The folder's name: unique, as it ends in a hash of the specification."""
        return self.place.rsplit("/", 1)[1]

    @property
    def paper(self) -> str:
        """Whose it is."""
        return self.place.split("/", 1)[0]

    @property
    def data(self) -> str:
        """Dataset, source and tier, as the folder says."""
        return self.place.split("/")[1]

    @property
    def href(self) -> str:
        """Where it is shown, from the site's root."""
        return f"runs/{self.paper}.html#{self.id}"


def read(places: Iterable[str]) -> dict[str, Record]:
    """The records of run folders, each once, by place."""
    store = paths.results() / "runs"
    return {place: _record(store, place) for place in sorted(set(places))}


def _record(store: Path, place: str) -> Record:
    file = store / place / "run.json"
    if not file.is_file():
        return Record(place)
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file} is larger than {LARGEST} bytes: no record of ours; remove that run")
    try:
        about = json.loads(file.read_text())
        if missing := NEEDED - set(about):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        return Record(place, about, _accuracy(file.with_name("predictions.parquet")))
    except (ValueError, OSError) as problem:
        raise ValueError(f"the run {place} cannot be read ({problem}); remove it and make it again") from problem


def _accuracy(file: Path) -> float | None:
    if not file.is_file():
        return None
    table = pd.read_parquet(file, columns=["label", "predicted"])
    return float((table["label"] == table["predicted"]).mean())


def shown(record: Record, readers: Iterable[tuple[str, str]]) -> str:
    """A run as HTML: one line that opens; ``readers`` are the (address, name) of the pages that read it."""
    pages = ", ".join(f'<a href="../{escape(href)}">{escape(name)}</a>' for href, name in readers)
    lines = {"folder": f"<code>results/runs/{escape(record.place)}</code>", "read by": pages, **_lines(record.about)}
    terms = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in lines.items())
    # the anchor stands inside, so that a browser that is sent there opens it
    return (
        f"<details class='run'><summary><code>{escape(record.id)}</code> {_score(record)}</summary>"
        f"<dl id='{escape(record.id)}'>{terms}</dl></details>"
    )


def _score(record: Record) -> str:
    if record.about is None:
        return "its record is not here"
    if "epochs" in record.about:
        return f"watched over {escape(str(record.about['epochs']))} epochs"
    return "classifies nothing" if record.accuracy is None else f"{100 * record.accuracy:.2f} %"


def _lines(about: Mapping[str, Any] | None) -> dict[str, str]:
    if about is None:
        return {"record": "not in this run store; the page was rendered where it was"}
    data, images = about["data"], about["images"]
    spec = {name: value for name, value in about["spec"].items() if name != "changes"}
    return {
        "specification": _pairs(spec),
        "configuration": _pairs(about["config"]),
        "data": f"{escape(data['credit'])}; <code>{escape(data['fingerprint'][:12])}</code>",
        "images": _pairs(images) + f"; {len(about['test_subjects'])} people tested",
        "folds": f"<code>{escape(str(about['folds']))}</code>",
        "commit": f"<code>{escape(about['commit'])}</code>, training code "
        f"<code>{escape(about['source_digest'])}</code>",
        "took": f"{escape(str(about['seconds']))} s, at most {escape(str(about['peak_memory_mb']))} MB",
        "versions": _pairs(about["versions"]),
    }


def _pairs(values: Mapping[str, Any]) -> str:
    told = {name: str(value) for name, value in values.items() if value not in ("", None)}
    return " · ".join(f"{escape(name)} {escape(value)}" for name, value in told.items())
