"""What a script makes of a tree, for the tests of every reader."""

from importlib import import_module

import numpy as np

from fercore.faces.preparation.markers import MARKERS
from fercore.faces.preparation.reading import Dataset
from fercore.faces.preparation.source import Source

READERS = [*MARKERS]


def dataset(name: str) -> Dataset:
    return getattr(import_module(f"data_prep.{name}"), name.upper())


def read(name: str, root, **options):
    ours = dataset(name)
    given = {option.name: option.default for option in ours.options} | options
    return ours.read(Source([root]), given)


def shown(reading) -> list[tuple[str, str]]:
    return [(shot.subject, shot.label) for shot in reading.shots]


def looked_at(reading) -> list[np.ndarray]:
    return [shot.pixels() for shot in reading.shots]
