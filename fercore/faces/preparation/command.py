"""The command line that every script of ``data_prep`` shares."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from fercore import paths
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.landmarks import Detector, DetectorMissingError, face_mesh
from fercore.faces.photo import PhotoError
from fercore.faces.preparation import certificate, markers, pipeline
from fercore.faces.preparation.framing import CROPS, crop_named
from fercore.faces.preparation.reading import Dataset, DatasetError
from fercore.faces.preparation.source import Source, SourceError

PROBLEMS = (DatasetError, SourceError, PhotoError, FaceSetError, DetectorMissingError, OSError)


def main(
    dataset: Dataset, about: str, arguments: list[str] | None = None, detector: Callable[[], Detector] = face_mesh
) -> int:
    """Prepare ``dataset``; 0 when the set is there, 1 with what is wrong on stderr."""
    options = _parser(dataset, about).parse_args(arguments)
    try:
        return _run(dataset, options, detector)
    except PROBLEMS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def prepared_name(dataset: Dataset, crop: str) -> str:
    """The name of the prepared set: the dataset's, with the crop's where it is not the default."""
    return dataset.name if crop == dataset.crops[0] else f"{dataset.name}-{crop}"


def _run(dataset: Dataset, options: argparse.Namespace, detector: Callable[[], Detector]) -> int:
    name = prepared_name(dataset, options.crop)
    output = options.output or paths.data() / "prepared" / name
    if not (options.force or options.check) and (output / "certificate.json").is_file():  # written last
        faces = FaceSet.open(output)
        print(f"done already: {output} ({len(faces)} images); --force prepares it again")
        return 0
    if output.exists() and not ((output / "faceset.json").is_file() or not any(output.iterdir())):
        raise DatasetError(f"{output} is no prepared set and would be overwritten; give --output a new folder")
    source = Source(options.source)
    markers.check(source, dataset.name)
    reading = dataset.read(source, vars(options))
    counts = certificate.compared(dataset, reading.counts)
    print(f"{dataset.title}\n{counts.to_string(index=False)}")
    for note in reading.notes:
        print(f"note: {note}")
    wrong = counts[counts["verdict"] == "differs"]
    if options.check:
        print("checked; nothing written")
        return int(len(wrong) > 0)
    if len(wrong) and not options.incomplete:
        raise DatasetError(
            f"{len(wrong)} verified counts differ (above): complete the source, or take what is there with --incomplete"
        )
    crop = crop_named(options.crop, options.size or dataset.size)
    faces, framing = pipeline.prepare(dataset, reading.shots, name, crop, output, options.workers, detector)
    found = pipeline.summary(framing)
    content = certificate.certificate(dataset, faces, CROPS[options.crop].said, counts, found, reading.notes)
    certificate.write(content, output)
    print(f"faces: {', '.join(f'{count} {how}' for how, count in found.items())} (see framing.csv)")
    print(f"written: {output} ({len(faces)} images of {crop.size} pixels, certificate.html)")
    return int(len(wrong) > 0)


def _size(text: str) -> int:
    size = int(text)
    if not 16 <= size <= 512:
        raise ValueError
    return size


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
