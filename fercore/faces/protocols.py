"""Protocols: which frames of a dataset are classified, into which classes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.folds import N_FOLDS, fold_of, inner_fold_of

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
WILD = ("neutral", *SIX)
SEVEN = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
LABELS = ("neutral", *SEVEN, "pain", "laughter", "posed_laughter", "speech")  # of all datasets that papers used


@dataclass(frozen=True)
class Protocol:
    """What a paper did with a dataset."""

    name: str
    dataset: str  # "" suits every dataset
    classes: tuple[str, ...] = ()  # () takes the dataset's own
    frames: str = "last"  # of each sequence: "last" or "middle" three, or "all"
    said: str = ""  # where the paper says so
    modality: str = "visible"  # of the images that take part; the other one's stay out
    official: bool = False  # the publishers' own division, told by the manifest's split, is the only fold

    @property
    def neutral_is_class(self) -> bool:
        """Whether onset frames are classified (else they only serve terms that compare with the reference)."""
        return "neutral" in self.classes


PROTOCOLS = {
    p.name: p
    for p in (
        Protocol("ckplus7", "ckplus", SEVEN, "last", "GCNet Table 2; last three frames as in public practice"),
        Protocol("ckplus8", "ckplus", ("neutral", *SEVEN), "last", "GCNet Table 3; the first frame is neutral"),
        Protocol("mmi6", "mmi", SIX, "middle", "GCNet Table 4; paper chose peaks by hand, we take the middle three"),
        Protocol("oulu6", "oulu", SIX, "last", "GCNet Table 5; last three frames (printed digits are k/1440)"),
        Protocol(
            "rafdb7", "rafdb", WILD, "all", "Occluded, Table 1; the official training and test set", official=True
        ),
        Protocol(
            "affectnet7", "affectnet", WILD, "all", "Occluded, Table 1; tested on the validation set", official=True
        ),
        Protocol("sfew7", "sfew", WILD, "all", "named but not reported in Occluded; tested on Val", official=True),
        Protocol("fer7", "fer2013", WILD, "all", "trained on Training, tested on PrivateTest", official=True),
        Protocol("own", "", (), "all", "every image, the dataset's own classes"),
        Protocol("identities", "", (), "all", "pre-training: the subject is the class, every tenth image is held out"),
    )
}


def protocol_of(dataset: str, name: str = "default") -> Protocol:
    """The protocol ``name`` of a dataset; "default" is the paper's, or "own" for a dataset no paper used."""
    return PROTOCOLS[protocols_for(dataset)[0] if name == "default" else name]


def protocols_for(dataset: str) -> list[str]:
    """Names of the protocols that suit a dataset, its default first."""
    base = dataset.split("-")[0]  # a set prepared with another crop, such as ckplus-idferm, is still CK+
    own = [p.name for p in PROTOCOLS.values() if p.dataset == base]
    return [*own, "own", "identities"]


@dataclass(frozen=True)
class Part:
    """Rows of a face set with their class index; -1 marks images without part in classification."""

    rows: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Division:
    """One fold of a protocol: what is trained on, what is tested, and the test subjects' early frames."""

    classes: tuple[str, ...]
    train: Part
    test: Part
    early: Part  # frames of small intensity, of the test subjects (GCNet, Fig. 4)


def divide(faces: FaceSet, protocol: Protocol, fold: int, inner: int | None = None) -> Division:
    """Cut ``faces`` into training and test side; no subject stands on both (identities: no image does).

    With ``inner``, settings are being chosen: the people of ``fold`` stay out, and that inner fold of all others is
    the test side. Raises FaceSetError where a side would be empty, ValueError for a fold out of range.
    """
    if protocol.name == "identities":
        if fold != 0 or inner is not None:
            raise ValueError("protocol identities holds out images, not people: it has only fold 0 and no inner ones")
        return _identities(faces)
    classes = protocol.classes or tuple(faces.classes)
    if missing := set(classes) - set(faces.classes):
        raise FaceSetError(f"{faces.name} has no image of {sorted(missing)}, which protocol {protocol.name} asks for")
    if protocol.classes and (strange := set(faces.classes) - {*LABELS, *protocol.classes}):
        raise FaceSetError(
            f"{faces.name}: its manifest has labels {sorted(strange)}, which no dataset of the papers has; "
            f"valid: {', '.join(LABELS)}"
        )
    for number in (fold, inner or 0):
        if not 0 <= number < N_FOLDS:
            raise ValueError(f"fold {number} is out of range; valid: 0..{N_FOLDS - 1}")
    table = faces.table
    target = table["label"].map({label: i for i, label in enumerate(classes)}).fillna(-1).astype(int).to_numpy()
    chosen = _chosen(table, protocol)
    neutral = (table["label"] == "neutral").to_numpy()
    onset = neutral & (table["reference"].to_numpy() == np.arange(len(table)))
    testing, training = (side.to_numpy() for side in _sides(table, protocol, fold, inner))
    seen = (table["modality"] == protocol.modality).to_numpy()
    training, testing = training & seen, testing & seen
    classified = chosen & (target >= 0)
    if not (testing & classified).any():
        raise FaceSetError(f"{faces.name} has no image to test in fold {fold}: it has too few people for ten folds")
    return Division(
        classes,
        train=_part(training & (classified | onset), target),
        test=_part(testing & classified, target),
        early=_part(testing & ~chosen & ~neutral & (target >= 0), target),
    )


def _sides(table: pd.DataFrame, protocol: Protocol, fold: int, inner: int | None) -> tuple[pd.Series, pd.Series]:
    """Which rows are the test side and which the training side, whatever they show."""
    if protocol.official:
        if fold != 0:
            raise FaceSetError(f"protocol {protocol.name} has one division, the publishers' own: fold 0, not {fold}")
        tested = "test" if (table["split"] == "test").any() else "val"  # where both are published, val stays out
        testing, training = table["split"] == tested, table["split"] == "train"
    else:
        testing = fold_of(table) == fold
        training = ~testing
    if inner is None:
        return testing, training
    number = inner_fold_of(table, ~training)
    return number == inner, (number >= 0) & (number != inner)


def _chosen(table: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    if protocol.frames == "all":
        return np.ones(len(table), dtype=bool)
    sequence = table.groupby(["subject", "sequence", "modality"])["frame"]
    rank, length = sequence.rank(method="first").astype(int) - 1, sequence.transform("size")
    if protocol.frames == "last":
        chosen = rank >= length - 3
    else:
        chosen = (rank - length // 2).abs() <= 1
    if protocol.neutral_is_class:
        chosen = chosen | (rank == 0)
    return chosen.to_numpy()


def _identities(faces: FaceSet) -> Division:
    subject = faces.table["subject"]
    classes = tuple(sorted(subject.unique()))
    target = subject.map({name: i for i, name in enumerate(classes)}).to_numpy()
    held_out = (subject.groupby(subject).cumcount() % 10 == 9).to_numpy()
    everything = np.ones(len(subject), dtype=bool)
    return Division(classes, _part(~held_out, target), _part(held_out, target), _part(~everything, target))


def _part(mask: np.ndarray, target: np.ndarray) -> Part:
    rows = np.flatnonzero(mask)
    return Part(rows, target[rows])
