"""The two-view systems on a study's images: they see the pairs that paired rows see, and the same test images."""

from dataclasses import replace

import numpy as np
import pytest

from fercore.classical import hog_features
from fercore.compared import paired


@pytest.fixture
def seen(monkeypatch):
    """Calls of the one system there is, which gives every test image the first label it learned."""
    calls = []

    def system(*views):
        calls.append(views)
        return np.full(len(views[3]), views[2][0])

    monkeypatch.setattr(paired, "SYSTEMS", {"first": system})
    return calls


def test_systems_learn_the_pairs_of_the_visible_half_and_are_tested_as_the_rows_are(unpaired_study, seen):
    found = paired.predictions(unpaired_study)["first"]
    base = unpaired_study.predictions("ResNet")
    assert found[["row", "fold", "seed", "label"]].equals(base[["row", "fold", "seed", "label"]])
    assert len(seen) == 2  # folds
    for spec, (visible, thermal, label, tested) in zip(
        [s for s in unpaired_study.specs if s.variant == "ResNet"], seen, strict=True
    ):
        faces = spec.faces()
        streams = spec.config.streams(replace(spec, variant="Wang"), faces, spec.divide(faces))
        own = spec.config.streams(spec, faces, spec.divide(faces))
        assert np.array_equal(streams.image.rows, own.image.rows)  # what every row sees
        np.testing.assert_array_equal(visible, hog_features(np.asarray(faces.images[own.image.rows])))
        np.testing.assert_array_equal(thermal, hog_features(np.asarray(faces.images[streams.paired])))
        assert label.tolist() == faces.table["label"][own.image.rows].tolist()
        tests = base.loc[base["fold"] == spec.fold, "row"].to_numpy()
        np.testing.assert_array_equal(tested, hog_features(np.asarray(faces.images[tests])))
