"""Protocols: which frames of a dataset are classified, into which classes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.folds import N_FOLDS, fold_of, inner_fold_of

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
WILD = ("neutral", *SIX)
SEVEN = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
PEOPLE = 22  # of MAHNOB Laughter; its papers leave one out at a time
LABELS = ("neutral", *SEVEN, "pain", "laughter", "posed_laughter", "speech")  # of all datasets that papers used


@dataclass(frozen=True)
class Protocol:
    """What a paper did with a dataset."""

    name: str
    dataset: str  # "" suits every dataset; "mmi-peaks" only MMI prepared with --peaks, which then takes no other
    classes: tuple[str, ...] = ()  # () takes the dataset's own
    frames: str = "last"  # of each sequence: "last" or "middle" three, its "ends" (first and last), or "all"
    said: str = ""  # where the paper says so
    modality: str = "visible"  # of the images that take part; the other one's stay out
    official: bool = False  # the publishers' own division, told by the manifest's split, is the only fold
    folds: int = N_FOLDS  # as many as people: each is left out once
    apart: str = "people"  # what no two folds share: "people", or only "images", to see what that leak is worth
    unit: str = "image"  # what is scored: each image, or each "sequence" by the mean scores of its images
    paper: str = ""  # whose protocol it is; its runs take it where none is named

    @property
    def neutral_is_class(self) -> bool:
        """Whether onset frames are classified (else they only serve terms that compare with the reference)."""
        return "neutral" in self.classes


PROTOCOLS = {
    p.name: p
    for p in (
        Protocol("ckplus7", "ckplus", SEVEN, "last", "Table 2; last three frames as in public practice", paper="gcnet"),
        Protocol("ckplus8", "ckplus", ("neutral", *SEVEN), "last", "Table 3; the first is neutral", paper="gcnet"),
        Protocol("mmi6", "mmi", SIX, "middle", "Table 4; hand-picked peaks, we take the middle three", paper="gcnet"),
        Protocol("mmi6peaks", "mmi-peaks", SIX, "last", "as mmi6, of sequences that end at peaks of your own list",
            paper="gcnet"),
        Protocol("oulu6", "oulu", SIX, "last", "Table 5; last three (printed digits are k/1440)", paper="gcnet"),
        Protocol("ckplus7leaky", "ckplus", SEVEN, "last", "as ckplus7, but people stand on both sides", apart="images",
            paper="gcnet"),
        Protocol("oulu6leaky", "oulu", SIX, "last", "as oulu6, but people stand on both sides", apart="images",
            paper="gcnet"),
        Protocol("rafdb7", "rafdb", WILD, "all", "Table 1; official training and test set", official=True,
            paper="occluded"),
        Protocol("affectnet7", "affectnet", WILD, "all", "Table 1; tested on the validation set", official=True,
            paper="occluded"),
        Protocol("rafdb7+affectnet7", "rafdb+affectnet", WILD, "all", "Table 3; both training sets", official=True,
            paper="occluded"),
        Protocol("ckplus636", "ckplus", WILD, "ends", "Table 2; onsets, and apexes of six emotions", paper="occluded"),
        Protocol("fedro7", "fedro", WILD, "all", "Table 3; 400 faces, to test only", official=True, paper="occluded"),
        Protocol("sfew7", "sfew", WILD, "all", "named but not reported; tested on Val", official=True,
            paper="occluded"),
        Protocol("laughter_posed", "mahnob", ("laughter", "posed_laughter"), "all", "Table 1, L vs PL", folds=PEOPLE,
            paper="unpaired"),
        Protocol("laughter_speech", "mahnob", ("laughter", "speech"), "all", "Table 1, L vs S", folds=PEOPLE,
            paper="unpaired"),
        Protocol("mmse4", "mmse", ("neutral", "happiness", "surprise", "pain"), "all", "Table 1", paper="unpaired"),
        Protocol("mmi6sequences", "mmi", SIX, "middle", "IDFERM, Table 3; a sequence's frames vote",
            unit="sequence", paper="idferm"),
        Protocol("multipie4", "multipie", ("neutral", "disgust", "happiness", "surprise"), "all",
            "IDFERM, Sec. 5.1; to pre-train", paper="idferm"),
        Protocol("fer7", "fer2013", WILD, "all", "trained on Training, tested on PrivateTest", official=True),
        Protocol("own", "", (), "all", "every image, the dataset's own classes"),
        Protocol("identities", "", (), "all", "pre-training: the subject is the class, every tenth image is held out"),
    )
}  # fmt: skip


def protocol_of(dataset: str, name: str = "default", paper: str = "") -> Protocol:
    """The protocol ``name`` of a dataset; "default" is the paper's, or "own" for a dataset no paper used."""
    return PROTOCOLS[protocols_for(dataset, paper)[0] if name == "default" else name]


def databases(dataset: str) -> set[str]:
    """What a name joins, whatever was chosen when it was prepared: ``mmse-eyes+mmi`` is of mmse and mmi."""
    return {one.split("-")[0] for one in dataset.split("+")}


def protocols_for(dataset: str, paper: str = "") -> list[str]:
    """Names of the protocols that suit a dataset, those of the paper first."""
    base, *choices = dataset.split("-")  # a set prepared with another crop, such as ckplus-idferm, is still CK+
    suited: dict[int, list[Protocol]] = {0: []}  # by how many of these choices they are for
    for protocol in PROTOCOLS.values():
        name, *needed = protocol.dataset.split("-")
        if name == base and set(needed) <= set(choices):
            suited.setdefault(len(needed), []).append(protocol)
    own = sorted(suited[max(suited)], key=lambda p: p.paper != paper)
    return [*(p.name for p in own), "own", "identities"]


@dataclass(frozen=True)
class Part:
    """Rows of a face set with their class index; -1 marks images without part in classification."""

    rows: np.ndarray
    target: np.ndarray

    @property
    def labelled(self) -> "Part":
        """The images that take part in classification."""
        return self.only(self.target >= 0)

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: np.ndarray) -> "Part":
        """The images that a mask over them keeps."""
        return Part(self.rows[kept], self.target[kept])


@dataclass(frozen=True)
class Division:
    """One fold of a protocol: what is trained on, what is tested, and the test subjects' early frames."""

    classes: tuple[str, ...]
    train: Part
    test: Part
    early: Part  # frames of small intensity, of the test subjects (GCNet, Fig. 4)


def divide(faces: FaceSet, protocol: Protocol, fold: int, inner: int | None = None) -> Division:
    """Cut ``faces`` into training and test side; no subject stands on both (identities, leaky ones: no image does).

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
    for number, count in ((fold, protocol.folds), (inner or 0, N_FOLDS)):
        if not 0 <= number < count:
            raise ValueError(f"fold {number} is out of range; valid: 0..{count - 1}")
    table = faces.table
    target = _target(table, classes)
    chosen = _chosen(table, protocol)
    neutral = (table["label"] == "neutral").to_numpy()
    onset = neutral & (table["reference"].to_numpy() == np.arange(len(table)))
    scored = chosen & (target >= 0)
    testing, training = (side.to_numpy() for side in _sides(table, protocol, fold, inner, scored))
    seen = (table["modality"] == protocol.modality).to_numpy()
    training, testing = training & seen, testing & seen
    if not (testing & scored).any():
        raise FaceSetError(
            f"{faces.name} has no {protocol.modality} image to test in fold {fold} of protocol {protocol.name}: it has "
            f"none of these people, or too few people for {protocol.folds} folds"
        )
    return Division(
        classes,
        train=_part(training & (scored | onset), target),
        test=_part(testing & scored, target),
        early=_part(testing & ~chosen & ~neutral & (target >= 0), target),
    )


def classified(faces: FaceSet, protocol: Protocol) -> tuple[tuple[str, ...], Part]:
    """The classes and every image that ``protocol`` classifies, whatever the fold: a test of a model from elsewhere."""
    classes = protocol.classes or tuple(faces.classes)
    target = _target(faces.table, classes)
    seen = (faces.table["modality"] == protocol.modality).to_numpy()
    return classes, _part(_chosen(faces.table, protocol) & (target >= 0) & seen, target)


def _target(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    return table["label"].map({label: i for i, label in enumerate(classes)}).fillna(-1).astype(int).to_numpy()


def _sides(
    table: pd.DataFrame, protocol: Protocol, fold: int, inner: int | None, scored: np.ndarray
) -> tuple[pd.Series, pd.Series]:
    """Which rows are the test side and which the training side, whatever they show."""
    if protocol.official:
        if fold != 0:
            raise FaceSetError(f"protocol {protocol.name} has one division, the publishers' own: fold 0, not {fold}")
        tested = "test" if (table["split"] == "test").any() else "val"  # where both are published, val stays out
        testing, training = table["split"] == tested, table["split"] == "train"
    elif protocol.apart == "images":
        if inner is not None:
            raise ValueError(f"protocol {protocol.name} keeps no people apart: it has no inner folds")
        testing = _dealt(table[scored], protocol.folds).reindex(table.index) == fold
        training = ~testing
    else:
        testing = fold_of(table, protocol.folds) == fold
        training = ~testing
    if inner is None:
        return testing, training
    number = inner_fold_of(table, ~training)
    return number == inner, (number >= 0) & (number != inner)


def _dealt(images: pd.DataFrame, folds: int) -> pd.Series:
    """A fold for every image, whoever it shows: neighbours in a sequence come into different ones."""
    order = images.sort_values(["subject", "sequence", "frame"], kind="stable").index
    return pd.Series(np.arange(len(order)) % folds, order)


def _chosen(table: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    if protocol.frames == "all":
        return np.ones(len(table), dtype=bool)
    sequence = table.groupby(["subject", "sequence", "modality"])["frame"]
    rank, length = sequence.rank(method="first").astype(int) - 1, sequence.transform("size")
    if protocol.frames == "last":
        chosen = rank >= length - 3
    elif protocol.frames == "ends":
        chosen = rank == length - 1
    else:
        chosen = (rank - length // 2).abs() <= 1
    if protocol.neutral_is_class:
        chosen = chosen | (table["label"] == "neutral")
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
