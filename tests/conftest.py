"""Every test runs with one thread, without a display, and never touches the reader's data or results."""

import os

import pytest

os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="Agg")


@pytest.fixture(scope="session", autouse=True)
def places_of_this_session(tmp_path_factory):
    """Data and results of the whole session, subprocesses included, go to a temporary folder."""
    place = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(place / "data"))
        patch.setenv("FERCORE_RESULTS", str(place / "results"))
        yield
