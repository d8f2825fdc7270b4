"""Every script from its command line on its tree, with the real detector on the twins' faces."""

from functools import cache

import pandas as pd
import pytest

from fercore.faces.faceset import FaceSet
from fercore.faces.landmarks import Detector, face_mesh
from fercore.faces.preparation import command
from tests.preparation import trees
from tests.preparation.readings import READERS, dataset

TREES = {name: (name,) for name in READERS} | {
    "affectnet": ("affectnet_2017", "affectnet_2021"),
    "casia_webface": ("casia_webface", "casia_records"),
}
FOUND = {"official", "detected", "whole"}
THERMAL = ("--thermal", "*_thermal.avi")


@cache
def detector() -> Detector:
    return face_mesh()


@pytest.mark.parametrize("name, tree", [(name, tree) for name, several in TREES.items() for tree in several])
def test_every_script_finds_the_faces_of_its_tree(tmp_path, monkeypatch, name, tree):
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (the extra `alignment`)")
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))
    source = getattr(trees, tree)(tmp_path / "tree")
    ours = dataset(name)
    more = THERMAL if name == "mahnob" else ()
    for crop in ours.crops:
        asked = ["--source", str(source), "--workers", "1", "--crop", crop, "--incomplete", *more]
        assert command.main(ours, "", asked, detector) in (0, 1)  # 1 where a verified count differs, of a small tree
        output = tmp_path / "data" / "prepared" / command.prepared_name(ours, {"crop": crop} | defaults(ours))
        faces, framing = FaceSet.open(output), pd.read_csv(output / "framing.csv")
        good = framing["how"].isin(FOUND | {"damaged"} if name == "fer2013" else FOUND)  # one of FER2013 is black
        assert len(faces) and good.mean() > 0.6, framing["how"].value_counts()
        assert (output / "certificate.html").is_file()


def defaults(ours) -> dict:
    return {option.name: option.default for option in ours.options}
