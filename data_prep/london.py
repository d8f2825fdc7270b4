"""Prepare the Face Research Lab London Set: 102 adults, one neutral and one smiling photograph each (CC BY 4.0).

    python data_prep/london.py --source FOLDER

FOLDER holds the unpacked `NNN_03.jpg` (neutral) and `NNN_08.jpg` (smiling), from doi:10.6084/m9.figshare.5047666.v5.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fercore import paths
from fercore.faces.alignment import CROP, POINTS_FITTED, AlignmentError, align
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.landmarks import POINTS, Detector, DetectorMissingError, NoFaceError, face_mesh
from fercore.faces.photo import PhotoError, read_photo
from fercore.faces.preparation import certificate
from fercore.faces.preparation.reading import around
from fercore.storage import whole_file

CREDIT = (
    "Face Research Lab London Set, DeBruine & Jones (2017), doi:10.6084/m9.figshare.5047666.v5, CC BY 4.0; "
    "cropped, aligned, gray"
)
POSES = {"03": "neutral", "08": "happiness"}  # number in the file name -> label
PEOPLE = 102
TITLE = "Face Research Lab London Set"
PHOTO = re.compile(r"(\d{3})_(03|08)\.jpe?g", re.IGNORECASE)
PUPILS = "pupils_neutral.csv"  # optional: pupils of the neutral photographs, at 512 pixels image width
PUPILS_WIDTH = 512


class LondonError(ValueError):
    """The source folder is not the London set, or not all of it; names the file and the way out."""


def find_photos(source: Path) -> dict[str, dict[str, Path]]:
    """``{person: {label: file}}`` of the photographs anywhere below ``source``; raises LondonError."""
    if not source.is_dir():
        raise LondonError(f"{source} is not a folder; give --source the folder with the unpacked photographs")
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(source.rglob("*")):
        match = PHOTO.fullmatch(file.name)
        if match and file.is_file():
            person, label = match[1], POSES[match[2]]
            if label in found.setdefault(person, {}):
                raise LondonError(f"{file} repeats {found[person][label]}; remove one of the two")
            found[person][label] = file
    if not found:
        raise LondonError(
            f"{source} holds no NNN_03.jpg or NNN_08.jpg; unpack the neutral and smiling front views "
            "of doi:10.6084/m9.figshare.5047666.v5 and give that folder to --source"
        )
    for person, files in found.items():
        for number, label in POSES.items():
            if label not in files:
                there = next(iter(files.values()))
                missing = there.with_name(f"{person}_{number}.jpg")
                raise LondonError(f"{missing} is missing (its partner {there.name} is there); unpack it or remove both")
    return found


def prepare(
    photos: dict[str, dict[str, Path]], detector: Detector, size: int = CROP, fit: str = "eyes"
) -> tuple[FaceSet, pd.DataFrame]:
    """The aligned set and its geometry, one row per image; raises LondonError or PhotoError naming the file.

    Geometry: the five POINTS in the photograph (``photo_*``, pixels; ``photo_width``, ``photo_height``) and those found
    anew on the finished crop (``crop_*``, in units of the crop's side; NaN where none was found).
    """
    crops, rows, geometry = [], [], []
    for person, files in tqdm(photos.items(), unit="person"):
        for frame, label in enumerate(POSES.values()):
            photo = read_photo(files[label])
            try:
                points = detector(photo)
                crop = align(photo, points, size, fit)
            except (NoFaceError, AlignmentError) as error:
                raise LondonError(f"{files[label]}: {error}; copy or unpack it again, or remove the pair") from error
            reference = len(rows) - frame  # the neutral photograph comes first
            rows.append((person, "1", frame, label, (0.0, np.nan)[frame], "visible", reference, ""))
            crops.append(crop)
            geometry.append(
                {"subject": person, "label": label, "photo_width": photo.shape[1], "photo_height": photo.shape[0]}
                | _named("photo", points)
                | _named("crop", _found_anew(crop, detector) / size)
            )
    columns = ["subject", "sequence", "frame", "label", "intensity", "modality", "reference", "split"]
    faces = FaceSet(_name(fit), np.stack(crops), pd.DataFrame(rows, columns=columns), "open", CREDIT)
    return faces, pd.DataFrame(geometry)


def pupil_errors(geometry: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Per eye: distance of found to given pupil in ``pixels`` (at 512) and ``percent`` of the interocular distance.

    Raises LondonError where ``file`` is not such a table.
    """
    try:
        marked = pd.read_csv(file).set_index("image")[["left_x", "left_y", "right_x", "right_y"]].astype(float)
    except (ValueError, KeyError, OSError) as error:
        raise LondonError(f"{file} is not the table of pupils ({error}); copy it again or remove it") from error
    rows = []
    for row in geometry[geometry["label"] == "neutral"].itertuples():
        if f"{row.subject}_03" in marked.index:
            truth = marked.loc[f"{row.subject}_03"].to_numpy().reshape(2, 2)
            found = np.array([(getattr(row, f"photo_{eye}_x"), getattr(row, f"photo_{eye}_y")) for eye in POINTS[:2]])
            off = np.linalg.norm(found * PUPILS_WIDTH / row.photo_width - truth, axis=1)
            percent = 100 * off / np.linalg.norm(truth[1] - truth[0])
            rows += [(row.subject, eye, *error) for eye, *error in zip(POINTS, off, percent, strict=False)]
    return pd.DataFrame(rows, columns=["subject", "eye", "pixels", "percent"])


def main(arguments: list[str] | None = None, detector: Detector | None = None) -> int:
    """The command line; 0 when the set is there, 1 with one line on stderr when it cannot be prepared."""
    options = _parser().parse_args(arguments)
    output = options.output or paths.data() / "prepared" / _name(options.fit)
    try:
        return _run(options, output, detector)
    except (LondonError, PhotoError, FaceSetError, DetectorMissingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, output: Path, detector: Detector | None) -> int:
    geometry_file = output / "geometry.csv"
    if not (options.force or options.check) and geometry_file.is_file():  # written last
        _say_done(FaceSet.open(output), output, options)
        return 0
    if output.exists() and not _may_replace(output):
        raise LondonError(f"{output} is no prepared set and would be overwritten; give --output a new folder")
    photos = find_photos(options.source)
    print(f"{options.source}: {len(photos)} of {PEOPLE} people, each neutral and smiling")
    faces, geometry = prepare(photos, detector or face_mesh(), options.size, options.fit)
    if unseen := int(geometry["crop_left_eye_x"].isna().sum()):
        print(f"no face found again on {unseen} of {len(geometry)} crops")
    notes = []
    for file in sorted(options.source.rglob(PUPILS))[:1]:
        error = pupil_errors(geometry, file)
        notes.append(
            f"pupils against {file.name}: mean {error.pixels.mean():.2f}, largest {error.pixels.max():.2f} pixels "
            f"({error.percent.mean():.1f}, {error.percent.max():.1f} % of the distance between the eyes)"
        )
    print(*notes, sep="\n", end="\n" * len(notes))
    if options.check:
        print("checked; nothing written")
        return 0
    faces = faces.save(output)
    _certify(faces, photos, options, notes)
    with whole_file(geometry_file) as aside:
        geometry.round(5).to_csv(aside, index=False)
    print(f"written: {output} ({len(faces)} images of {options.size} pixels)")
    return 0


def _certify(faces: FaceSet, photos: dict, options: argparse.Namespace, notes: list[str]) -> None:
    """The certificate of a set of which every face was found."""
    counts = certificate.compared({"people": around(PEOPLE)}, {"people": len(photos), "images": len(faces)})
    names = [file.name for files in photos.values() for file in files.values()]
    framing = pd.DataFrame({"picture": names, "subject": faces.table["subject"], "how": "detected", "problem": ""})
    asked = {"fit": options.fit, "size": options.size}
    content = certificate.certificate(TITLE, faces, asked, counts, framing, notes)
    certificate.write(content, options.output or paths.data() / "prepared" / faces.name)


def _say_done(faces: FaceSet, output: Path, options: argparse.Namespace) -> None:
    if faces.images.shape[1] != options.size or faces.name != _name(options.fit):
        raise LondonError(f"{output} holds {faces.name} at {faces.images.shape[1]} pixels; --force replaces it")
    print(f"done already: {output} ({len(faces)} images of {options.size} pixels); --force prepares it again")


def _may_replace(output: Path) -> bool:
    return output.is_dir() and ((output / "faceset.json").is_file() or not any(output.iterdir()))


def _name(fit: str) -> str:
    return "london" if fit == "eyes" else f"london_{fit}"


def _found_anew(crop: np.ndarray, detector: Detector) -> np.ndarray:
    try:
        return detector(np.repeat(crop[..., None], 3, axis=2))
    except NoFaceError:
        return np.full((len(POINTS), 2), np.nan)


def _named(prefix: str, points: np.ndarray) -> dict[str, float]:
    return {f"{prefix}_{name}_{axis}": points[i, j] for i, name in enumerate(POINTS) for j, axis in enumerate("xy")}


def _side(text: str) -> int:
    size = int(text)
    if not 16 <= size <= 1024:
        raise ValueError
    return size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="folder with the photographs, also in subfolders")
    parser.add_argument("--size", type=_side, default=CROP, help="side of the crops in pixels (%(default)s)")
    parser.add_argument("--fit", choices=list(POINTS_FITTED), default="eyes", help="points to align by (%(default)s)")
    parser.add_argument("--check", action="store_true", help="read and report, write nothing")
    parser.add_argument("--output", type=Path, help="where to write (data/prepared/london)")
    parser.add_argument("--force", action="store_true", help="prepare again what is there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
