"""FaceSet: images and the table that says who, when and which expression each of them shows."""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fercore.storage import digest, whole_folder, write_json

COLUMNS = {  # the manifest, one row per image
    "subject": str,  # who; folds never split a subject
    "sequence": str,  # which recording of that subject
    "frame": int,  # position in the recording, ascending
    "label": str,  # expression class; the onset frame of a sequence is "neutral"
    "intensity": float,  # 0 neutral .. 1 apex; NaN where unknown
    "modality": str,  # "visible" or "thermal"
    "reference": int,  # row of the same person's reference (neutral) image; -1 where there is none
    "split": str,  # official split, or ""
}
OPTIONAL = {"fold": int, "native": str}  # the data set's own folds, its own code of the label, where it has some
ACTION_UNIT = re.compile(r"au\d+")  # columns of action units' true intensities, known of drawn faces
SOURCES = ("twin", "licensed", "open")  # synthetic; under a licence; openly licensed
CHECKED_WHOLE_UP_TO = 1 << 32  # bytes of images whose checksum is verified at every opening


class FaceSetError(ValueError):
    """A face set on disk is missing, damaged or contradicts itself; says which file and the way out."""


@dataclass(frozen=True)
class FaceSet:
    """Images (uint8, N x H x W gray or N x H x W x 3) and their manifest (N rows, ``COLUMNS``)."""

    name: str
    images: np.ndarray
    table: pd.DataFrame
    source: str  # one of SOURCES
    credit: str  # the line that must stand under a figure that shows these faces
    fingerprint: str = field(default="")  # SHA-256 of images and manifest

    def __len__(self) -> int:
        return len(self.table)

    @property
    def classes(self) -> list[str]:
        """Labels that occur, neutral first, the others in alphabetical order."""
        return sorted(self.table["label"].unique(), key=lambda label: (label != "neutral", label))

    def save(self, folder: Path) -> "FaceSet":
        """Write the set to ``folder``, whole or not at all, and return it as opened from there."""
        _check_images(self.images, folder)
        _check_table(self.table, len(self.images), folder)
        with whole_folder(folder) as aside:
            np.save(aside / "images.npy", np.ascontiguousarray(self.images))
            kept = [*COLUMNS, *(c for c in self.table if c in OPTIONAL or ACTION_UNIT.fullmatch(c))]
            self.table[kept].to_csv(aside / "manifest.csv", index=False)
            _describe(aside, self.name, self.source, self.credit)
        return FaceSet.open(folder)

    @classmethod
    def open(cls, folder: Path) -> "FaceSet":
        """Open a finished set read-only (memory-mapped); raises FaceSetError where it is not whole."""
        about = _read_about(folder)
        images_file, manifest_file = folder / "images.npy", folder / "manifest.csv"
        _check_sum(manifest_file, about["manifest_sha256"])
        if not images_file.is_file() or images_file.stat().st_size <= CHECKED_WHOLE_UP_TO:
            _check_sum(images_file, about["images_sha256"])
        types = {column: kind for column, kind in (COLUMNS | OPTIONAL).items() if kind is not float}
        table = pd.read_csv(manifest_file, dtype=types, keep_default_na=False, na_values={"intensity": [""]})
        images = np.load(images_file, mmap_mode="r", allow_pickle=False)
        _check_images(images, images_file)
        _check_table(table, len(images), manifest_file)
        return cls(about["name"], images, table, about["source"], about["credit"], fingerprint_in(folder))

    def resized(self, size: int) -> "FaceSet":
        """The same faces at ``size`` x ``size`` pixels (antialiased bilinear); itself where nothing changes."""
        if self.images.shape[1:3] == (size, size):
            return self
        return replace(self, images=_resize(self.images, size))


def assemble(folder: Path, images: Path, manifest: Path, source: str, credit: str) -> None:
    """Make the set ``folder.name`` of two files that are written already, which move to ``folder``."""
    with whole_folder(folder) as aside:
        images.rename(aside / "images.npy")
        manifest.rename(aside / "manifest.csv")
        _describe(aside, folder.name, source, credit)


def merged(sets: list[FaceSet]) -> FaceSet:
    """Several sets of one image size as one; subjects of different sets are different people.

    Raises FaceSetError where one is gray and another in colour, or their sources differ.
    """
    kinds = {(faces.images.shape[1:], faces.source) for faces in sets}
    if len(kinds) > 1:
        raise FaceSetError(f"{', '.join(faces.name for faces in sets)} cannot be one set, their images differ: {kinds}")
    tables, start = [], 0
    for faces in sets:
        reference = faces.table["reference"].where(faces.table["reference"] < 0, faces.table["reference"] + start)
        table = faces.table.assign(subject=faces.name + "/" + faces.table["subject"], reference=reference)
        tables.append(table.drop(columns="fold", errors="ignore"))
        start += len(faces)
    return FaceSet(
        "+".join(faces.name for faces in sets), np.concatenate([faces.images for faces in sets]),
        pd.concat(tables, ignore_index=True), sets[0].source, "; ".join(faces.credit for faces in sets),
        digest("".join(faces.fingerprint for faces in sets).encode()),
    )  # fmt: skip


def fingerprint_in(folder: Path) -> str:
    """The fingerprint of the set in ``folder``, as its description says; raises FaceSetError without one."""
    about = _read_about(folder)
    return digest(about["images_sha256"].encode(), about["manifest_sha256"].encode())


def _resize(images: np.ndarray, size: int, block: int = 1024) -> np.ndarray:
    import torch
    from torch.nn.functional import interpolate

    blocks = []
    for start in range(0, len(images), block):
        batch = torch.from_numpy(np.array(images[start : start + block])).float()
        batch = batch[:, None] if batch.ndim == 3 else batch.permute(0, 3, 1, 2)  # B x C x H x W
        small = interpolate(batch, (size, size), mode="bilinear", antialias=True, align_corners=False)
        blocks.append(small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).squeeze(-1).numpy())
    return np.concatenate(blocks)


def _describe(folder: Path, name: str, source: str, credit: str) -> None:
    sums = {f"{part.split('.')[0]}_sha256": digest(folder / part) for part in ("images.npy", "manifest.csv")}
    write_json(folder / "faceset.json", {"name": name, "source": source, "credit": credit} | sums)


def _read_about(folder: Path) -> dict:
    file = folder / "faceset.json"
    if not file.is_file():
        raise FaceSetError(f"{folder} holds no finished face set (no faceset.json); prepare the dataset again")
    try:
        about = json.loads(file.read_text())
        if not isinstance(about, dict):
            raise ValueError("not an object")
        keys = {"name", "source", "credit", "images_sha256", "manifest_sha256"}
        if missing := keys - set(about):
            raise ValueError(f"without {sorted(missing)}")
    except ValueError as error:
        raise FaceSetError(f"{file} cannot be read ({error}); delete {folder} and prepare the dataset again") from error
    return about


def _check_sum(file: Path, expected: str) -> None:
    if not file.is_file():
        raise FaceSetError(f"{file} is missing; delete {file.parent} and prepare the dataset again")
    if digest(file) != expected:
        raise FaceSetError(f"{file} is damaged (checksum differs); delete {file.parent} and prepare the dataset again")


def _check_images(images: np.ndarray, where: Path) -> None:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise FaceSetError(
            f"{where}: images must be uint8, N x H x W or N x H x W x 3, not {images.dtype} {images.shape}"
        )


def _check_table(table: pd.DataFrame, images: int, where: Path) -> None:
    if missing := set(COLUMNS) - set(table.columns):
        raise FaceSetError(f"{where}: the manifest lacks the columns {sorted(missing)}")
    if len(table) != images:
        raise FaceSetError(f"{where}: {images} images but {len(table)} manifest rows")
    wrong = table.index[(table["label"].astype(str).str.strip() == "") | (table["subject"].astype(str) == "")]
    if len(wrong):
        raise FaceSetError(f"{where}: row {wrong[0]} has no label or no subject")
    reference = table["reference"].to_numpy()
    bad = np.flatnonzero((reference < -1) | (reference >= images))
    if len(bad):
        raise FaceSetError(f"{where}: row {bad[0]} refers to image {reference[bad[0]]} of {images}")
    has = np.flatnonzero(reference >= 0)
    subject = table["subject"].to_numpy()
    strange = has[subject[has] != subject[reference[has]]]
    if len(strange):
        raise FaceSetError(f"{where}: row {strange[0]} has a reference image of another subject")
    check_folds(table, where)


def check_folds(table: pd.DataFrame, where: Path | str) -> None:
    """Refuse a manifest whose own folds put a subject into two of them; raises FaceSetError."""
    if "fold" not in table:
        return
    folds = table.groupby("subject")["fold"].nunique()
    if (folds > 1).any():
        subject = folds.index[folds > 1][0]
        raise FaceSetError(f"{where}: subject {subject} stands in {folds[subject]} folds; give each subject one fold")
