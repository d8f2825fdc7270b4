"""The leak table on made-up geometry: all of it, none of it, and people that are not complete."""

import numpy as np
import pandas as pd
import pytest

from fercore.faces import geometry
from fercore.faces.faceset import FaceSetError

PEOPLE = 60
COLUMNS = ["eye height separates pairs, %", "low", "high", "place of one image, %", "places of a pair, %"]


def made_up(photo_shift: float, crop_shift: float, seed: int = 0) -> pd.DataFrame:
    """Two images of each person; happiness moves the eyes down by a shift; people differ far more than that."""
    draw = np.random.default_rng(seed)
    home = dict(enumerate(draw.normal(0, 40, PEOPLE)))
    rows = []
    for person in draw.permutation(PEOPLE):
        for label in ("happiness", "neutral"):
            row = {"subject": f"{person:03d}", "label": label}
            for state, shift, unit in (("photo", photo_shift, 10), ("crop", crop_shift, 1)):
                height = 100 * unit + home[person] * (state == "photo") + shift * unit * (label == "happiness")
                for side, x in (("left", 40), ("right", 80)):
                    row[f"{state}_{side}_eye_x"] = unit * x + draw.normal(0, 0.1)
                    row[f"{state}_{side}_eye_y"] = height + draw.normal(0, 0.1)
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Writes a geometry beside a prepared set."""
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    folder = tmp_path / "prepared" / "somewhere"
    folder.mkdir(parents=True)
    return lambda table: table.to_csv(folder / "geometry.csv", index=False)


@pytest.fixture
def leaks(kept):
    def table(content: pd.DataFrame) -> pd.DataFrame:
        kept(content)
        return geometry.leak(geometry.read("somewhere"))

    return table


def test_leak_of_the_photographs_is_found_and_its_absence_in_the_crops_too(leaks):
    table = leaks(made_up(photo_shift=5, crop_shift=0))
    assert table.index.tolist() == ["original photograph", "aligned crop"] and set(COLUMNS) <= set(table.columns)
    photo, crop = table.loc["original photograph"], table.loc["aligned crop"]
    assert photo[["eye height separates pairs, %", "low", "high", "places of a pair, %"]].tolist() == [100] * 4
    assert crop["low"] <= 50 <= crop["high"] or crop["eye height separates pairs, %"] < 70
    assert crop["low"] < crop["eye height separates pairs, %"] < crop["high"]
    assert 30 < crop["places of a pair, %"] < 70 and 30 < crop["place of one image, %"] < 70


def test_leak_of_the_crops_is_found(leaks):
    crop = leaks(made_up(photo_shift=0, crop_shift=1)).loc["aligned crop"]
    assert crop[COLUMNS].tolist() == [100] * 5  # aligned people stand alike: one image is enough


def test_one_image_tells_less_than_a_pair_where_people_differ(leaks):
    photo = leaks(made_up(photo_shift=1, crop_shift=0)).loc["original photograph"]
    assert photo["places of a pair, %"] == 100 and photo["place of one image, %"] < 75


def test_direction_of_the_shift_does_not_matter(leaks):
    assert leaks(made_up(photo_shift=-5, crop_shift=0)).iloc[0]["low"] == 100


def test_order_of_the_rows_does_not_matter(leaks):
    content = made_up(photo_shift=5, crop_shift=0)
    ordered = leaks(content.sort_values(["subject", "label"]))
    pd.testing.assert_frame_equal(leaks(content.sample(frac=1, random_state=3)), ordered)


def test_subjects_are_read_as_text_in_order(kept):
    kept(made_up(5, 0))
    table = geometry.read("somewhere")
    assert table["subject"].iloc[0] == "000" and table["subject"].is_monotonic_increasing


def test_set_without_geometry_says_what_to_do(kept):
    with pytest.raises(FaceSetError, match=r"geometry.csv is missing; prepare somewhere again"):
        geometry.read("somewhere")


def test_people_who_lack_an_image_are_never_paired_with_another_person(leaks):
    content = made_up(photo_shift=5, crop_shift=0)
    lacking = ((content["subject"] == "003") & (content["label"] == "neutral")) | (
        (content["subject"] == "050") & (content["label"] == "happiness")
    )
    table = leaks(content[~lacking])
    assert table.iloc[0]["eye height separates pairs, %"] == 100
    assert table["people"].tolist() == [PEOPLE - 2] * 2


def test_crops_where_no_face_was_found_again_are_left_out_and_counted(leaks):
    content = made_up(photo_shift=5, crop_shift=1)
    content.loc[content["subject"] == "007", [column for column in content if column.startswith("crop")]] = np.nan
    table = leaks(content)
    assert table["people"].tolist() == [PEOPLE, PEOPLE - 1]
    assert table.loc["aligned crop", "places of a pair, %"] == 100
