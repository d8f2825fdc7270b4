"""Run specifications of seconds, and what tests ask of runs."""

from factories import snapshot

from fercore.method import Method
from fercore.runs import Run, RunSpec

TINY = {"image_size": 16, "widths": (3, 4, 5), "batch_size": 64, "iterations": 10, "pretraining": ""}


def spec(variant="CNN", fold=0, dataset="ckplus", **changes) -> RunSpec:
    return RunSpec(
        "gcnet", variant, dataset, "ckplus7", fold, "smoke", "prepared", changes=tuple((TINY | changes).items())
    )  # fmt: skip


TINY_OCCLUDED = {
    "image_size": 32, "block": "basic", "depth": (1, 1, 1, 1), "width": 8, "batch_size": 16, "iterations": 3,
    "pretraining_iterations": 2, "pretraining": "",
}  # fmt: skip


def covered_spec(variant="ResNet", fold=0, seed=0, inner=None, **changes) -> RunSpec:
    """A row of Occluded on the same images, enlarged."""
    return RunSpec(
        "occluded", variant, "ckplus", "ckplus636", fold, "smoke", "prepared", seed,
        changes=tuple((TINY_OCCLUDED | changes).items()), inner=inner,
    )  # fmt: skip


TINY_UNPAIRED = {
    "image_size": 16, "width": 8, "batch_size": 8, "iterations": 3, "pretraining_iterations": 2, "pretraining": "own",
}


def beside_spec(variant="Ours", fold=0, dataset="mmse", protocol="mmse4", inner=None, **changes) -> RunSpec:
    """A row of Unpaired on a small prepared set."""
    return RunSpec(
        "unpaired", variant, dataset, protocol, fold, "smoke", "prepared",
        changes=tuple((TINY_UNPAIRED | changes).items()), inner=inner,
    )  # fmt: skip


TINY_IDFERM = {"iterations": 2, "hng_iterations": 2, "identity_iterations": 2, "pretraining_iterations": 2}


def generated_spec(variant="IDFERM", fold=0, dataset="emotions", **changes) -> RunSpec:
    """A row of IDFERM on a small prepared set of 32 pixels."""
    return RunSpec(
        "idferm", variant, dataset, "own", fold, "smoke", "prepared", changes=tuple((TINY_IDFERM | changes).items())
    )  # fmt: skip


def weights(run: Run) -> dict:
    return snapshot(run.method())


def files_of(results) -> set[str]:
    """Every file but locks, which stay."""
    return {str(f.relative_to(results)) for f in results.rglob("*") if f.is_file() and f.suffix != ".lock"}


def no_training(*args, **kwargs):
    raise AssertionError("trained again")


def count_steps(monkeypatch) -> list[int]:
    """From now on, the iterations that any method does are appended to the list returned."""
    steps, ordinary = [], Method.step
    monkeypatch.setattr(Method, "step", lambda self, batch: steps.append(self.iteration) or ordinary(self, batch))
    return steps
