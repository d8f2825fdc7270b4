"""What thermal images would bring at the test: predictions of the same faces, added face by face."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fercore import thermal_bound
from fercore.faces.faceset import FaceSetError
from fercore.predictions import SCORE

ROWS = ["ResNet, visible", "Ours, visible", "thermal alone", "ResNet, both", "Ours, both"]


def told(frame: list[int], scores: list[tuple[float, float]], label=("a", "b")) -> pd.DataFrame:
    table = pd.DataFrame(scores, columns=[f"{SCORE}a", f"{SCORE}b"])
    guess = np.where(table.iloc[:, 0] >= table.iloc[:, 1], "a", "b")
    return table.assign(subject="P", sequence="0", frame=frame, fold=0, seed=0, label=list(label), predicted=guess)


def test_both_scores_of_a_face_are_averaged_whatever_their_order():
    visible = told([1, 2], [(0.6, 0.4), (0.55, 0.45)])
    thermal = told([2, 1], [(0.2, 0.8), (0.9, 0.1)], label=("b", "a"))
    both = thermal_bound.together(visible, thermal).set_index("frame")
    np.testing.assert_allclose(both[[f"{SCORE}a", f"{SCORE}b"]], [(0.75, 0.25), (0.375, 0.625)])
    assert both["predicted"].tolist() == ["a", "b"] and both["label"].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="1 faces, such as P/0/2, have no thermal prediction"):
        thermal_bound.together(visible, thermal.iloc[1:])


def test_every_row_is_seen_alone_and_with_thermal_images_and_gains_over_the_first(unpaired_study):
    study = replace(unpaired_study, variants=("ResNet", "Ours"))
    table = thermal_bound.table(study)
    gain = "gain over ResNet, visible"
    assert table.index.tolist() == ROWS and table[gain].iloc[0] == "" and (table[gain].iloc[1:] != "").all()
    assert table["images"].nunique() == 1
    visible = study.predictions("ResNet")
    accuracy = 100 * (visible["label"] == visible["predicted"]).mean()
    assert table["accuracy % [95 %]"].iloc[0].startswith(f"{accuracy:.1f} [")
    thermal = pd.concat([run.predictions for run in study.pretrained("thermal")])
    alone = 100 * (thermal["label"] == thermal["predicted"]).mean()
    assert table["accuracy % [95 %]"].loc["thermal alone"].startswith(f"{alone:.1f} [")
    assert set(study.faces.table["modality"][thermal["row"]]) == {"thermal"}


def test_a_database_without_thermal_images_of_its_own_is_refused(unpaired_study):
    study = replace(unpaired_study, dataset="ckplus", protocol="ckplus7")
    with pytest.raises(FaceSetError, match="people of ckplus have no thermal images"):
        thermal_bound.table(study)
