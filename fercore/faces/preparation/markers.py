"""How the datasets are told from each other: a file name that only one of them has."""

import re
from dataclasses import dataclass

from fercore.faces.preparation.reading import DatasetError
from fercore.faces.preparation.source import Source


@dataclass(frozen=True)
class Marker:
    """A pattern of a path's end, and the same in words."""

    pattern: str
    words: str


PACKED = re.compile(r"\.(tar|tgz|tbz2?|txz|gz|bz2|xz|rar|7z|z\d\d|zip\.\d+)$", re.IGNORECASE)
CLASSES = "(angry|anger|disgust|fear|happy|happiness|neutral|neural|sad|sadness|surprise)"
MARKERS = {
    "ckplus": Marker(r"S\d{3}/\d{3}/S\d{3}_\d{3}_\d{8}\.png", "S005/001/S005_001_00000001.png"),
    "ck48": Marker(r"(anger|contempt|disgust|fear|happy|sadness|surprise)/S\d{3}_\d{3}_\d{8}\.png",
        "anger/S010_004_00000017.png"),
    "mmi": Marker(r"Sessions/\d+/S\d{3}-\d{3}\.xml", "Sessions/224/S002-106.xml beside S002-106.avi"),
    "oulu": Marker(r"(VL|NI)(_Acropped)?/(Strong|Weak|Dark)/P\d{3}/\w+/\d{3}\.jpe?g", "VL/Strong/P001/Anger/000.jpeg"),
    "rafdb": Marker(r"((train|test)_\d{4,5}_aligned\.jpg|list_par?tition_label\.txt)",
        "train_00001_aligned.jpg and list_patition_label.txt"),
    "affectnet": Marker(
        r"((training|validation)\.csv|(train|val)_set/annotations/\d+_exp\.npy)",
        "training.csv (2017) or train_set/annotations/0_exp.npy (2021)",
    ),
    "fedro": Marker(rf"{CLASSES}/occ_img_\d+\.jpe?g", "happy/occ_img_1.jpg"),
    "sfew": Marker(rf"({CLASSES}/[^/]+_\d{{9}}_\d{{8}}\.png|sfew_2\.0_labels\.csv)",
        "Train_Aligned_Faces/Angry/Airheads_000519240_00000005.png"),
    "mahnob": Marker(r"Sessions/\d+/laughterAnnotation\.csv", "Sessions/4/laughterAnnotation.csv beside S001-005.avi"),
    "mmse": Marker(r"[FM]\d{3}/T\d{1,2}/\d{3,4}\.jpg", "2D+3D/F001/T1/0000.jpg"),
    "multipie": Marker(r"\d{3}_0[1-4]_0[1-3]_\d{3}_\d{2}\.png", "session01/multiview/001/01/05_1/001_01_01_051_07.png"),
    "vggface": Marker(r"files/[^/]+\.txt", "vgg_face_dataset/files/A.J._Buckley.txt"),
    "casia_webface": Marker(r"(\d{7}/\d{3}\.jpg|train\.rec)", "0000045/001.jpg or train.rec"),
    "fer2013": Marker(
        r"(fer2013\.csv|icml_face_data\.csv|(train|test)/(angry|disgust)/[^/]+\.(jpg|png)|FER2013Train/fer\d+\.png)",
        "fer2013.csv, train/angry/*.jpg, or FER2013Train/fer0000000.png with fer2013new.csv"),
    "jaffe": Marker(r"[A-Z]{2}\.(AN|DI|FE|HA|NE|SA|SU)\d?\.\d+\.tiff?", "KA.AN1.39.tiff"),
    "kdef": Marker(r"[AB][FM]\d{2}(AF|AN|DI|HA|NE|SA|SU)(S|HL|HR|FL|FR)\.jpg", "AF01/AF01ANS.JPG"),
    "london": Marker(r"\d{3}_(03|08)\.jpe?g", "001_03.jpg and 001_08.jpg"),
}  # fmt: skip


def _count(source: Source, marker: Marker) -> int:
    wanted = re.compile(rf"(?:^|/){marker.pattern}$", re.IGNORECASE)
    return sum(1 for file in source.files if wanted.search(file.path))


def check(source: Source, name: str) -> None:
    """Raises DatasetError where no file of ``source`` is one of the dataset's; says what it looks like instead."""
    if _count(source, MARKERS[name]):
        return
    others = {other: _count(source, marker) for other, marker in MARKERS.items() if other != name}
    likely = max(others, key=others.get)
    hint = f"; it looks like {likely}: use data_prep/{likely}.py" if others[likely] else ""
    if packed := [file.path for file in source.files if PACKED.search(file.path)]:
        hint += f"; {packed[0]} is packed in a way that is not read here: unpack it first"
    roots = ", ".join(map(str, source.roots))
    raise DatasetError(f"{roots} holds nothing like {MARKERS[name].words}; found {source.shape()}{hint}")
