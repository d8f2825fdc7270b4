"""Where a dataset's images come from: its synthetic twin, or data prepared on disk. Never one for the other."""

from fercore import paths
from fercore.faces.faceset import FaceSet, FaceSetError, fingerprint_in, merged
from fercore.known import prepared
from fercore.storage import digest


def open_faces(dataset: str, source: str, size: int, subjects: int | None = None, colour: bool = False) -> FaceSet:
    """The images of ``dataset`` at ``size`` x ``size`` pixels.

    dataset: a name, or several joined by "+" to make one set. source: "twin" (generated on first use) or "prepared"
    (licensed or open data on disk). ``subjects`` limits a twin; ``colour`` draws it so, where a prepared set is as it
    was prepared. Raises FaceSetError, naming the command that prepares it, where the data are missing.
    """
    if "+" in dataset:
        return merged([open_faces(one, source, size, subjects, colour) for one in dataset.split("+")])
    if source == "twin":
        from fercore.twins.datasets import twin
        from fercore.twins.recipes import TWINS

        people = len({take.subject for take in TWINS[dataset].cast()})
        return twin(dataset, size, subjects if subjects and subjects < people else None, colour)
    if dataset not in (there := prepared()):
        raise FaceSetError(f"dataset {dataset} is not prepared; {_how(dataset)}; prepared now: {there or 'none'}")
    return FaceSet.open(paths.data() / "prepared" / dataset).resized(size)


def fingerprint_now(dataset: str, source: str) -> str | None:
    """The fingerprint of a prepared set; None where none is there, and for a twin, which follows from the code."""
    if "+" in dataset:
        parts = [fingerprint_now(one, source) for one in dataset.split("+")]
        return None if None in parts else digest("".join(parts).encode())
    folder = paths.data() / "prepared" / dataset
    if source == "twin" or not (folder / "faceset.json").is_file():
        return None
    return fingerprint_in(folder)


def _how(dataset: str) -> str:
    script = paths.ROOT / "data_prep" / f"{dataset}.py"
    if script.is_file():
        return f"run: python data_prep/{dataset}.py --source DIR"
    return "no preparation script exists for it yet; CONTRIBUTING.md says how to write its manifest"


def credit(data: dict | None, dataset: str, source: str) -> str:
    """How to name the data under a figure; ``data`` is what a run noted of them."""
    return data["credit"] if data else f"{dataset} ({source})"
