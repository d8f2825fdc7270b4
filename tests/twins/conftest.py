"""A data folder of its own for each test session, and the recipe most tests look at."""

import pytest

from fercore.twins.datasets import TWINS


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """An empty data folder that ``paths.data()`` finds; filled by the twins the tests ask for."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder))
        yield folder


@pytest.fixture
def twin_recipe():
    return TWINS["ckplus"]
