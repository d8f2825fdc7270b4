"""Prepare the Face Research Lab London Set: 102 adults, one neutral and one smiling photograph each (CC BY 4.0).

    python data_prep/london.py --source FOLDER_OR_ZIPS

FOLDER holds `NNN_03.jpg` (neutral) and `NNN_08.jpg` (smiling), from doi:10.6084/m9.figshare.5047666.v5. Beside the set
stands geometry.csv: where the eyes are in the photographs and in the crops, and what that gives away.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fercore.faces.landmarks import POINTS, Detector, NoFaceError
from fercore.faces.preparation import command
from fercore.faces.preparation.framing import NOT_THERE
from fercore.faces.preparation.reading import Dataset, DatasetError, Reading, Shot, around
from fercore.faces.preparation.source import Source
from fercore.storage import whole_file

CREDIT = (
    "Face Research Lab London Set, DeBruine & Jones (2017), doi:10.6084/m9.figshare.5047666.v5, CC BY 4.0; "
    "cropped, aligned, gray"
)
POSES = {"03": "neutral", "08": "happiness"}  # number in the file name -> label
INTENSITY = {"neutral": 0.0, "happiness": np.nan}
IMAGE = rf"(?P<subject>\d{{3}})_(?P<pose>{'|'.join(POSES)})\.jpe?g"
PUPILS = "pupils_neutral.csv"  # optional: pupils of the neutral photographs, at 512 pixels image width
PUPILS_WIDTH = 512


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Both photographs of every person, neutral first; raises DatasetError where one of the two is missing."""
    shots = []
    for file, match in source.matching(IMAGE):
        label = POSES[match["pose"]]
        frame = list(POSES).index(match["pose"])
        shots.append(Shot(file.path, file, match["subject"], label, frame=frame, intensity=INTENSITY[label]))
    for subject, count in Counter(shot.subject for shot in shots).items():
        if count < len(POSES):
            there = next(shot.name for shot in shots if shot.subject == subject)
            raise DatasetError(f"the partner of {there} is missing; unpack {subject}_03.jpg and {subject}_08.jpg")
    shots.sort(key=lambda shot: (shot.subject, shot.frame))
    return Reading.of(shots)


def finish(folder: Path, shots: Sequence[Shot], source: Source, detector: Callable[[], Detector]) -> list[str]:
    """Write geometry.csv; says how many crops show no face, and how far the pupils found are from the given ones."""
    table = pd.DataFrame(_geometry(folder, shots, detector()))
    with whole_file(folder / "geometry.csv") as aside:
        table.round(5).to_csv(aside, index=False)
    notes = []
    if unseen := int(table["crop_left_eye_x"].isna().sum()):
        notes.append(f"no face found again on {unseen} of {len(table)} crops")
    for file, _ in source.matching(PUPILS):
        with file.on_disk() as path:
            error = pupil_errors(table, path)
        notes.append(
            f"pupils against {file.name}: mean {error.pixels.mean():.2f}, largest {error.pixels.max():.2f} pixels "
            f"({error.percent.mean():.1f}, {error.percent.max():.1f} % of the distance between the eyes)"
        )
    return notes


def _geometry(folder: Path, shots: Sequence[Shot], detector: Detector) -> Iterator[dict]:
    """One row per image of the finished set.

    The five POINTS in the photograph (``photo_*``, pixels; ``photo_width``, ``photo_height``) and those found anew on
    the finished crop (``crop_*``, in units of the crop's side); NaN where none was found.
    """
    framing = pd.read_csv(folder / "framing.csv", keep_default_na=False, na_values={f"p{i}": [""] for i in range(10)})
    crops = iter(np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False))
    for shot, row in zip(shots, framing.to_dict("records"), strict=True):
        if row["how"] in NOT_THERE:
            continue
        crop, (height, width, _) = next(crops), shot.pixels().shape
        photo = np.array([row[f"p{i}"] for i in range(10)], float).reshape(-1, 2)
        size = {"subject": shot.subject, "label": shot.label, "photo_width": width, "photo_height": height}
        yield size | _named("photo", photo) | _named("crop", _found_anew(crop, detector) / len(crop))


def _found_anew(crop: np.ndarray, detector: Detector) -> np.ndarray:
    try:
        return detector(np.repeat(crop[..., None], 3, axis=2) if crop.ndim == 2 else np.array(crop))
    except NoFaceError:
        return np.full((len(POINTS), 2), np.nan)


def _named(prefix: str, points: np.ndarray) -> dict[str, float]:
    return {f"{prefix}_{name}_{axis}": points[i, j] for i, name in enumerate(POINTS) for j, axis in enumerate("xy")}


def pupil_errors(geometry: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Per eye: distance of found to given pupil in ``pixels`` (at 512) and ``percent`` of the interocular distance.

    Raises DatasetError where ``file`` is not such a table.
    """
    try:
        marked = pd.read_csv(file).set_index("image")[["left_x", "left_y", "right_x", "right_y"]].astype(float)
    except (ValueError, KeyError, OSError) as error:
        raise DatasetError(f"{file} is not the table of pupils ({error}); copy it again or remove it") from error
    rows = []
    for row in geometry[geometry["label"] == "neutral"].itertuples():
        if f"{row.subject}_03" in marked.index:
            truth = marked.loc[f"{row.subject}_03"].to_numpy().reshape(2, 2)
            found = np.array([(getattr(row, f"photo_{eye}_x"), getattr(row, f"photo_{eye}_y")) for eye in POINTS[:2]])
            off = np.linalg.norm(found * PUPILS_WIDTH / row.photo_width - truth, axis=1)
            percent = 100 * off / np.linalg.norm(truth[1] - truth[0])
            rows += [(row.subject, eye, *error) for eye, *error in zip(POINTS, off, percent, strict=False)]
    return pd.DataFrame(rows, columns=["subject", "eye", "pixels", "percent"])


LONDON = Dataset(
    "london", "Face Research Lab London Set", read, {"subjects": around(102)}, CREDIT,
    ("eyes", "gcnet", "unpaired", "occluded"), reference="subject", licensed=False, finish=finish,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(LONDON, __doc__))
