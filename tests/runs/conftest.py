"""Two small prepared data sets for all tests of runs, and a results folder for each."""

import pytest
from factories import small_faces

from fercore.faces.protocols import SEVEN


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory):
    """A data folder with two prepared sets: "ckplus", drawn, and "lonely", where some images have no reference."""
    folder = tmp_path_factory.mktemp("data")
    faces = small_faces(12, SEVEN, 5)
    faces.save(folder / "prepared" / "ckplus")
    faces.table["reference"] = faces.table["reference"].where(faces.table["subject"] != "S005", -1)
    faces.save(folder / "prepared" / "lonely")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """An empty results folder for each test."""
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"
