"""The command line that every script of ``data_prep`` shares."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fercore import paths
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.landmarks import Detector, DetectorMissingError, face_mesh
from fercore.faces.photo import PhotoError
from fercore.faces.preparation import certificate, markers, pipeline
from fercore.faces.preparation.archives import SourceError
from fercore.faces.preparation.framing import CROPS, crop_named
from fercore.faces.preparation.reading import Dataset, DatasetError
from fercore.faces.preparation.source import Source
from fercore.storage import digest, restore

FULL = sqlite3.OperationalError  # no room for the lists that preparation keeps on disk
PROBLEMS = (DatasetError, SourceError, PhotoError, FaceSetError, DetectorMissingError, OSError, FULL)
MOST_NOTES = 40  # of them shown while preparing


def main(
    dataset: Dataset, about: str, arguments: list[str] | None = None, detector: Callable[[], Detector] = face_mesh
) -> int:
    """Prepare ``dataset``; 0 when the set is there, 1 with what is wrong on stderr, 130 where it was interrupted."""
    options = _parser(dataset, about).parse_args(arguments)
    try:
        return _run(dataset, options, detector)
    except PROBLEMS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130


def prepared_name(dataset: Dataset, chosen: Mapping[str, object]) -> str:
    """The name of the prepared set: the dataset's, with every choice that is not the default."""
    crop = chosen["crop"] if chosen["crop"] != dataset.crops[0] else ""
    marks = [crop, *(option.mark(chosen[option.name]) for option in dataset.options)]
    return "-".join([dataset.name, *filter(None, marks)])


def _run(dataset: Dataset, options: argparse.Namespace, detector: Callable[[], Detector]) -> int:
    chosen = vars(options)
    name, asked = prepared_name(dataset, chosen), _asked(dataset, chosen)
    output = options.output or paths.data() / "prepared" / name
    if not options.check:
        restore(output.parent)
    if not (options.force or options.check) and (output / "certificate.json").is_file():  # written last
        return _say_done(output, asked)
    if not options.check and output.exists() and not _may_replace(output):
        raise DatasetError(f"{output} is no prepared set and would be overwritten; give --output a new folder")
    source = Source(options.source)
    markers.check(source, dataset.name)
    reading = dataset.read(source, chosen)
    counts = certificate.compared(reading.expected or dataset.expected, reading.counts)
    wrong = int((counts["verdict"] == "differs").sum())
    _say(dataset.title, counts, reading.notes, MOST_NOTES if not options.check else len(reading.notes))
    if options.check:
        print("checked; nothing written")
        return int(wrong > 0)
    if wrong and not options.incomplete:
        raise DatasetError(
            f"{wrong} verified counts differ (above): complete the source, or take what is there with --incomplete"
        )
    crop = crop_named(options.crop, asked["size"])
    framing = pipeline.prepare(dataset, reading.shots, name, crop, output, options.workers, detector)
    if dataset.finish:
        more = dataset.finish(output, reading.shots, source, detector)
        print(*more, sep="\n", end="\n" * bool(more))
        reading.notes += more
    content = certificate.certificate(dataset.title, output, asked, counts, framing, reading.notes, dataset.folds)
    certificate.write(content, output)
    print(f"faces: {', '.join(f'{count} {how}' for how, count in framing.summary().items())} (see framing.csv)")
    print(f"written: {output} ({framing.faces()} images of {crop.size} pixels, certificate.html)")
    return int(wrong > 0)


def _asked(dataset: Dataset, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The options that make a set what it is, fit for a certificate: of a user's list, its name and hash."""
    asked = {"crop": chosen["crop"], "size": chosen["size"] or dataset.size or CROPS[chosen["crop"]].size}
    for option in dataset.options:
        value = chosen[option.name]
        listed = isinstance(value, str) and Path(value).is_file()
        asked[option.name] = f"{Path(value).name} {digest(Path(value))[:12]}" if listed else value
    return asked


def _say_done(output: Path, asked: Mapping[str, Any]) -> int:
    faces = FaceSet.open(output)
    before = json.loads((output / "certificate.json").read_text()).get("prepared with")
    if before != asked:
        raise DatasetError(f"{output} was prepared with {before}, not {asked}; --force replaces it, or give --output")
    print(f"done already: {output} ({len(faces)} images); --force prepares it again")
    return 0


def _may_replace(output: Path) -> bool:
    return output.is_dir() and ((output / "faceset.json").is_file() or not any(output.iterdir()))


def _say(title: str, counts: pd.DataFrame, notes: Sequence[str], most: int) -> None:
    print(f"{title}\n{counts.to_string(index=False)}")
    for note in notes[:most]:
        print(f"note: {note}")
    if len(notes) > most:
        print(f"... and {len(notes) - most} more notes: in the certificate, or with --check")


def _size(text: str) -> int:
    if not (text.isdecimal() and 16 <= int(text) <= 512):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; valid: 16 to 512 pixels")
    return int(text)


def _parser(dataset: Dataset, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--source", type=Path, nargs="+", required=True, help="folders or zip archives as they were distributed")
    add("--crop", choices=dataset.crops, default=dataset.crops[0], help="whose crop of the face (%(default)s)")
    add("--size", type=_size, help="side of the crops in pixels, instead of the crop's own")
    add("--check", action="store_true", help="read and report, write nothing")
    add("--incomplete", action="store_true", help="prepare although verified counts differ; the exit code stays 1")
    add("--output", type=Path, help=f"where to write (data/prepared/{dataset.name})")
    add("--workers", type=int, default=2, help="processes (%(default)s)")
    add("--force", action="store_true", help="prepare again what is there")
    for option in dataset.options:
        kind = type(option.default) if option.default is not None else str
        add(f"--{option.name}", type=kind, default=option.default, choices=option.choices, help=option.help)
    return parser
