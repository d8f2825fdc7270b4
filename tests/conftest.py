"""Every test runs with one thread, without a display, and never touches the reader's data or results."""

import os

import pytest
from places import set_places

os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="Agg")


@pytest.fixture(scope="session", autouse=True)
def places_of_this_session(tmp_path_factory):
    """Data and results of the whole session, subprocesses included, go to a temporary folder."""
    place = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(place / "data"))
        patch.setenv("FERCORE_RESULTS", str(place / "results"))
        yield


@pytest.fixture(scope="session")
def folder_of_prepared_faces(tmp_path_factory):
    """Two small prepared sets of 24 people, made once."""
    from factories import small_faces

    from fercore.faces.protocols import SEVEN

    folder = tmp_path_factory.mktemp("prepared")
    for dataset in ("ckplus", "mmi"):
        small_faces(24, SEVEN, 5).save(folder / "prepared" / dataset)
    return folder


@pytest.fixture
def prepared_faces(folder_of_prepared_faces, tmp_path, monkeypatch):
    """Those sets as the data, and for results a folder of the test's own."""
    monkeypatch.setenv("FERCORE_DATA", str(folder_of_prepared_faces))
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def trained(folder, name, faces, study):
    """``study``, trained on ``faces`` as the prepared set ``name``, and where that is."""
    faces.save(folder / "data" / "prepared" / name)
    with pytest.MonkeyPatch.context() as patch:
        set_places(patch, folder)
        study.train()
    return study, folder


@pytest.fixture(scope="session")
def trained_occluded(tmp_path_factory):
    """Four rows of Occluded on two folds of a small prepared set, trained for three steps, and where they are."""
    from factories import small_faces
    from run_factories import TINY_OCCLUDED

    from fercore.ablation import Ablation
    from fercore.faces.protocols import SIX

    rows, changes = ["ResNet", "LIR", "rec", "PG-CNN"], TINY_OCCLUDED | {"pretraining": "own"}
    study = Ablation("occluded", "ckplus", rows, "ckplus636", [0, 1], "smoke", "prepared", changes=changes)
    return trained(tmp_path_factory.mktemp("occluded"), "ckplus", small_faces(12, SIX, 3, size=33), study)


@pytest.fixture
def occluded_study(trained_occluded, monkeypatch):
    """The study of ``trained_occluded``, its places set."""
    study, folder = trained_occluded
    set_places(monkeypatch, folder)
    return study


@pytest.fixture(scope="session")
def trained_unpaired(tmp_path_factory):
    """Three rows of Unpaired on two folds of a small set with both modalities, trained for three steps."""
    from factories import small_faces, two_modalities
    from run_factories import TINY_UNPAIRED

    from fercore.ablation import Ablation

    faces = two_modalities(small_faces(12, ("happiness", "surprise", "pain"), 3, size=33))
    rows, changes = ["ResNet", "L_v+L_h+L_l", "Ours"], TINY_UNPAIRED | {"image_size": 32}
    study = Ablation("unpaired", "mmse", rows, "mmse4", [0, 1], "smoke", "prepared", changes=changes)
    return trained(tmp_path_factory.mktemp("unpaired"), "mmse", faces, study)


@pytest.fixture
def unpaired_study(trained_unpaired, monkeypatch):
    """The study of ``trained_unpaired``, its places set."""
    study, folder = trained_unpaired
    set_places(monkeypatch, folder)
    return study


@pytest.fixture(scope="session")
def website(tmp_path_factory):
    """A small site: four artefacts, of which two are rendered, one fold, one run of two."""
    from website_factories import ARTEFACTS, write_results

    from fercore import published
    from fercore.website import artefacts, build, listings

    folder = tmp_path_factory.mktemp("website")
    write_results(folder / "results")
    few = {name: file for name, file in listings.modules().items() if name in ("fercore.tables", "fercore.paths")}
    with pytest.MonkeyPatch.context() as patch:
        set_places(patch, folder)
        patch.setattr(artefacts, "listed", lambda: [artefacts.Artefact(*row) for row in ARTEFACTS])
        patch.setattr(listings, "modules", lambda: few)
        patch.setattr(published, "tables", lambda: {"gcnet": [2]})
        build.build(folder / "site", jobs=1)
    return folder / "site"
