"""Which images of two modalities train a network: nobody, or no face, in both; and pairs that are pairs."""

from dataclasses import replace

import numpy as np
import pytest
from factories import rows_of, small_faces, two_modalities

from fercore.faces.faceset import FaceSetError
from fercore.faces.modalities import FACE, check_unpaired, counterparts, sample, unpaired
from fercore.faces.protocols import Part

KEYS = {"subject": ["subject"], "image": FACE}
NOTHING = Part(np.array([], dtype=int), np.array([], dtype=int))
every_cut = pytest.mark.parametrize("by", KEYS)


@pytest.fixture(scope="module")
def faces():
    """7 people, every face twice, rows in random order."""
    both = two_modalities(small_faces(7))
    order = np.random.default_rng(0).permutation(len(both))
    reference = np.argsort(order)[both.table["reference"]]
    table = both.table.assign(reference=reference).iloc[order].reset_index(drop=True)
    return replace(both, images=both.images[order], table=table)


def halves(faces, by="subject", **choice):
    return unpaired(faces, rows_of(faces, "visible"), rows_of(faces, "thermal"), by, **choice)


def seen(faces, part, by):
    return set(map(tuple, faces.table.loc[part.rows, KEYS[by]].to_numpy()))


@every_cut
def test_halves_have_nothing_in_common_and_cover_everyone(faces, by):
    visible, thermal = halves(faces, by)
    sides = [seen(faces, part, by) for part in (visible, thermal)]
    everyone = set(map(tuple, faces.table[KEYS[by]].to_numpy()))
    assert not sides[0] & sides[1] and sides[0] | sides[1] == everyone
    assert len(sides[0]) == -(-len(everyone) // 2)  # the odd one out is seen in visible light
    for part, modality in ((visible, "visible"), (thermal, "thermal")):
        assert set(faces.table["modality"][part.rows]) == {modality}
        assert [faces.classes[t] for t in part.target] == faces.table["label"][part.rows].tolist()
    check_unpaired(faces, visible, thermal, by)


def test_a_whole_half_of_the_images_of_those_people_is_taken(faces):
    for part, modality in zip(halves(faces), ("visible", "thermal"), strict=True):
        people = {subject for (subject,) in seen(faces, part, "subject")}
        theirs = faces.table[(faces.table["modality"] == modality) & faces.table["subject"].isin(people)]
        assert sorted(part.rows) == sorted(theirs.index)


def test_faces_divided_by_image_share_people():
    faces = two_modalities(small_faces(7))
    visible, thermal = halves(faces, "image")
    assert seen(faces, visible, "subject") & seen(faces, thermal, "subject")
    with pytest.raises(FaceSetError, match="gratings: 7 subjects, such as S000, S001, S002, stand on both sides"):
        check_unpaired(faces, visible, thermal, "subject")


@every_cut
def test_halves_depend_on_the_seed_and_on_nothing_else(faces, by):
    first, again, other = (halves(faces, by, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].rows, other[0].rows)


def test_halves_are_of_the_same_people_in_whatever_order_the_rows_stand(faces):
    plain = two_modalities(small_faces(7))
    for one, other in zip(halves(faces), halves(plain), strict=True):
        assert seen(faces, one, "subject") == seen(plain, other, "subject")


def test_no_partition_keeps_everything(faces):
    whole = rows_of(faces, "visible"), rows_of(faces, "thermal")
    assert unpaired(faces, *whole, "none") == whole


def test_only_the_people_of_the_two_parts_are_divided(faces):
    few = (faces.table["subject"] < "S002").to_numpy()
    parts = (part.only(few[part.rows]) for part in (rows_of(faces, "visible"), rows_of(faces, "thermal")))
    sides = [seen(faces, part, "subject") for part in unpaired(faces, *parts)]
    assert sorted(map(len, sides)) == [1, 1] and sides[0] | sides[1] == {("S000",), ("S001",)}


@pytest.mark.parametrize("by", [*KEYS, "none"])
@pytest.mark.parametrize("missing", ["visible", "thermal"])
def test_an_empty_modality_is_refused_by_name(faces, by, missing):
    parts = [NOTHING if name == missing else rows_of(faces, name) for name in ("visible", "thermal")]
    with pytest.raises(FaceSetError, match=rf"gratings has no {missing} image to train on \(partition {by}\)"):
        unpaired(faces, *parts, by)
    with pytest.raises(FaceSetError, match="gratings has no visible image"):
        unpaired(faces, NOTHING, NOTHING, by)


def test_one_person_alone_cannot_be_divided(faces):
    alone = (faces.table["subject"] == "S003").to_numpy()
    parts = [rows_of(faces, name) for name in ("visible", "thermal")]
    with pytest.raises(FaceSetError, match="no thermal image"):
        unpaired(faces, *(part.only(alone[part.rows]) for part in parts))


def test_another_partition_is_refused_with_the_valid_ones(faces):
    with pytest.raises(ValueError, match="partition 'frame' is unknown; valid: subject, image, none"):
        halves(faces, "frame")


@every_cut
def test_a_person_or_face_on_both_sides_is_refused_by_name(faces, by):
    whole = rows_of(faces, "visible"), rows_of(faces, "thermal")
    which = {"subject": "7 subjects, such as S000, S001", "image": "105 images, such as S000/000/0, S000/000/1"}[by]
    with pytest.raises(FaceSetError, match=f"gratings: {which}.*both sides of an unpaired division"):
        check_unpaired(faces, *whole, by)


def test_a_sample_is_a_part_of_the_part_in_its_order_and_the_same_again(faces):
    part = rows_of(faces, "visible")
    chosen = sample(part, 20)
    place = [part.rows.tolist().index(row) for row in chosen.rows]
    assert len(chosen) == 20 and place == sorted(set(place))
    assert chosen.target.tolist() == part.target[place].tolist()
    assert np.array_equal(sample(part, 20).rows, chosen.rows)
    assert not np.array_equal(sample(part, 20, seed=1).rows, chosen.rows)


@pytest.mark.parametrize("m", [None, 105, 1000])
def test_a_sample_of_no_fewer_images_is_the_whole_part(faces, m):
    part = rows_of(faces, "visible")
    assert len(part) == 105 and sample(part, m) is part


def test_counterparts_show_the_same_face_in_the_other_modality(faces):
    for modality, other in (("visible", "thermal"), ("thermal", "visible")):
        rows = rows_of(faces, modality).rows[::3]
        found = counterparts(faces, rows, other)
        assert set(faces.table["modality"][found]) == {other}
        assert faces.table.loc[found, FACE].to_numpy().tolist() == faces.table.loc[rows, FACE].to_numpy().tolist()
        np.testing.assert_array_equal(faces.images[found], 255 - faces.images[rows])
    assert not np.array_equal(found - rows, np.full(len(rows), found[0] - rows[0]))  # the rows are mixed


def test_a_face_without_counterpart_is_refused_by_name(faces):
    row = faces.table.index[faces.table["modality"] == "thermal"][4]
    lacking = faces.table.drop(index=row).reset_index(drop=True)
    missing = "/".join(map(str, faces.table.loc[row, FACE]))
    less = replace(faces, images=np.delete(faces.images, row, 0), table=lacking)
    with pytest.raises(FaceSetError, match=f"gratings has no thermal image of {missing}; paired rows need one"):
        counterparts(less, rows_of(less, "visible").rows, "thermal")


def test_a_face_seen_twice_in_one_modality_is_refused_by_name(faces):
    table = faces.table.copy()
    first, second = rows_of(faces, "thermal").rows[:2]
    table.loc[second, FACE] = table.loc[first, FACE].to_numpy()
    with pytest.raises(FaceSetError, match="two thermal images of"):
        counterparts(replace(faces, table=table), rows_of(faces, "visible").rows[:1], "thermal")
