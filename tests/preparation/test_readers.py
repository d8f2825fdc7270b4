"""Every script: its dataset, its marker, and no tree taken for another."""


import pytest

from fercore.faces.preparation import markers
from fercore.faces.preparation.markers import MARKERS
from fercore.faces.preparation.reading import DatasetError
from fercore.faces.preparation.source import Source
from tests.preparation import trees
from tests.preparation.readings import READERS, dataset


@pytest.mark.parametrize("name", READERS)
def test_every_script_names_its_dataset_and_its_marker(name):
    ours = dataset(name)
    assert ours.name == name and ours.title and ours.credit and ours.crops and ours.expected
    assert MARKERS[name].words


def test_a_wrong_folder_says_what_it_looks_like(tmp_path):
    source = Source([trees.oulu(tmp_path)])
    markers.check(source, "oulu")
    with pytest.raises(DatasetError, match=r"S005_001_00000001\.png; found .*it looks like oulu"):
        markers.check(source, "ckplus")


@pytest.mark.parametrize("name", [n for n in READERS if n not in ("mmi", "mahnob", "mmse", "affectnet")])
def test_no_tree_is_taken_for_another(tmp_path, name):
    source = Source([getattr(trees, name)(tmp_path)])
    counts = {other: markers._count(source, marker) for other, marker in MARKERS.items()}
    assert counts[name] and max(counts, key=counts.get) == name
