"""Covered examples: what hides a face is settled once, and the face without it moves as it does."""

import numpy as np
import pytest
import torch
from factories import all_of, small_faces

from fercore.faces import occlusion
from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import Part
from fercore.papers.occluded import VARIANTS
from fercore.runs import RunSpec
from fercore.twins.occluders import TRAINING

KINDS = ("food", "hands", "drinks")
MOVED = Augmentation(scale=0.1, rotation=10, intensity=0.2)
STILL = Augmentation(scale=0, rotation=0, intensity=0)


@pytest.fixture(scope="module")
def faces():
    return small_faces(subjects=2, size=33)  # 30 images, from which 32 pixels are cropped


@pytest.fixture(scope="module")
def coloured(faces):
    images = np.stack([faces.images, faces.images // 2, 255 - faces.images], axis=-1)
    return FaceSet("coloured", images, faces.table, "open", "drawn by the tests; no person")


def seen(faces, cover, part=None, channels=3) -> Examples:
    return Examples(faces, all_of(faces) if part is None else part, 32, channels=channels, cover=cover)


def in_order(examples, field="image"):
    return torch.cat([getattr(batch, field) for batch in examples.in_order(7)])


def test_what_covers_an_image_depends_on_its_row_and_the_purpose_only(faces, monkeypatch):
    cover, rows = Cover(KINDS, "training"), np.arange(30)
    whole = cover(faces.images, rows)
    assert np.array_equal(Cover(KINDS, "training")(faces.images, rows), whole)
    chosen = np.array([21, 4, 4, 29])
    assert np.array_equal(cover(faces.images[chosen], chosen), whole[chosen])
    monkeypatch.setattr(occlusion, "BLOCK", 7)
    assert np.array_equal(cover(faces.images, rows), whole)
    other = Cover(KINDS, "test")(faces.images, rows)
    assert ((whole != other).mean((1, 2)) > 0.02).mean() > 0.9
    assert not np.array_equal(cover(faces.images[:1], [1]), whole[:1])


def test_every_kind_is_drawn_about_as_often_and_one_kind_alone_always(monkeypatch):
    asked, blank = [], np.zeros((300, 33, 33), np.uint8)

    def occlude(images, kinds, seeds):
        asked.extend(zip(kinds, seeds, strict=True))
        return images, None

    monkeypatch.setattr("fercore.twins.occluders.occlude", occlude)
    Cover(KINDS, "training")(blank, range(300))
    counts = {kind: sum(kind == k for k, _ in asked) for kind in KINDS}
    assert min(counts.values()) > 70 and len({seed for _, seed in asked}) == 300
    asked.clear()
    Cover(("R8",), "R8")(blank, range(300))
    assert {kind for kind, _ in asked} == {"R8"}
    assert set(KINDS) == set(TRAINING)


def test_the_covered_image_is_the_one_shown_and_the_clean_one_is_privileged(faces):
    examples = seen(faces, Cover(KINDS, "training"))
    image, privileged = in_order(examples), in_order(examples, "privileged")
    clean = torch.from_numpy(faces.images[:, :32, :32] / 255).float()[:, None].expand(-1, 3, -1, -1)
    torch.testing.assert_close(privileged, clean)
    assert ((image != privileged).float().mean((1, 2, 3)) > 0.05).float().mean() > 0.9
    assert not examples.has_reference and next(iter(examples.in_order())).reference is None
    uncovered = next(iter(seen(faces, None).in_order()))
    assert uncovered.privileged is None
    torch.testing.assert_close(uncovered.image, clean)


def test_rows_labels_and_covers_of_a_part_stay_together(faces):
    part, cover = Part(np.array([14, 3, 29, 7]), np.array([2, -1, 0, 1])), Cover(KINDS, "training")
    examples, whole = seen(faces, cover, part), seen(faces, cover)
    for field in ("image", "privileged"):
        assert torch.equal(in_order(examples, field), in_order(whole, field)[part.rows])
    assert in_order(examples, "label").tolist() == [2, -1, 0, 1]


def test_an_epoch_keeps_each_image_with_its_clean_self_and_label(faces):
    images = np.broadcast_to(5 * np.arange(1, 31, dtype=np.uint8)[:, None, None], faces.images.shape)  # tell the row
    levels = FaceSet("levels", images, faces.table, "open", "drawn by the tests; no person")
    part = all_of(levels)
    for batch in seen(levels, Cover(("R16",), "training"), part).epoch(30, torch.Generator().manual_seed(1), STILL):
        rows = (batch.privileged.mean((1, 2, 3)) * 255 / 5).round().long() - 1
        assert sorted(rows.tolist()) == list(range(30)) != rows.tolist()
        assert batch.label.tolist() == part.target[rows].tolist()
        brightest = batch.image.amax((1, 2, 3))  # beside the square it is the same image
        torch.testing.assert_close(brightest, batch.privileged.amax((1, 2, 3)))
        assert (batch.image.amin((1, 2, 3)) == 0).all()


class Unchanged(Cover):
    def __call__(self, images, rows):
        return images.copy()


def batches(examples, seed=0, augmentation=MOVED):
    return list(examples.epoch(10, torch.Generator().manual_seed(seed), augmentation))


def test_image_and_privileged_image_move_alike(faces):
    """Same crop, turn, size, mirroring and brightness: without a cover they are equal to the last bit."""
    still = in_order(seen(faces, Unchanged((), "")))
    for batch in batches(seen(faces, Unchanged((), ""))):
        assert torch.equal(batch.image, batch.privileged)
        assert not any(torch.equal(image, other) for image in batch.image for other in still)  # they did move


def test_pixels_that_are_not_covered_are_equal_wherever_they_went(faces):
    for batch in batches(seen(faces, Cover(("R16",), "training"))):  # a black square of a ninth of the image
        differs = (batch.image != batch.privileged).any(1)
        share = differs.float().mean((1, 2))
        assert (share > 0.04).all() and (share < 0.2).all()
        assert (batch.image <= batch.privileged).all()
        assert (batch.image[:, 0][differs] == 0).float().mean() > 0.6  # all but its rim


def spec(variant="ResNet", **others) -> RunSpec:
    changes = {"image_size": 32, **others.pop("changes", {})}
    return RunSpec(
        "occluded", variant, "ckplus", "ckplus636", others.pop("fold", 0), "smoke", "prepared", **others,
        changes=tuple(changes.items()),
    )  # fmt: skip


def test_every_seed_method_fold_and_setting_sees_the_same_covers(faces):
    def image(asked, purpose="training"):
        return in_order(asked.examples(faces, all_of(faces), purpose))

    expected = image(spec())
    for other in (
        *(spec(variant) for variant in (*VARIANTS, "occluded", "clean")), spec(seed=7), spec(fold=3), spec(inner=2),
        spec(changes={"lambda_1": 9.0, "K1": 2, "weights": "imagenet"}),
    ):  # fmt: skip
        assert torch.equal(image(other), expected), other
    tested = image(spec(), "test")
    assert ((tested != expected).float().mean((1, 2, 3)) > 0.02).float().mean() > 0.9
    assert torch.equal(image(spec("Ours", seed=3), "test"), tested)


def test_gray_images_become_three_equal_channels(faces):
    for batch in batches(seen(faces, Cover(KINDS, "training"))):
        for view in (batch.image, batch.privileged):
            assert view.shape == (10, 3, 32, 32)
            assert torch.equal(view[:, 0], view[:, 1]) and torch.equal(view[:, 0], view[:, 2])
    gray = next(iter(seen(faces, Cover(KINDS, "training"), channels=1).in_order()))
    assert gray.image.shape == gray.privileged.shape == (30, 1, 32, 32)


def test_colours_keep_their_order_and_place(coloured):
    examples = seen(coloured, Unchanged((), ""))
    expected = torch.from_numpy(coloured.images[:, :32, :32] / 255).float().permute(0, 3, 1, 2)
    torch.testing.assert_close(in_order(examples), expected)
    covered = seen(coloured, Cover(("R16",), "training"))
    for batch in covered.in_order():
        black = (batch.image == 0).all(1)
        assert torch.equal(batch.image * ~black[:, None], batch.privileged * ~black[:, None])
        assert (black.float().mean((1, 2)) > 0.04).all()


def test_a_gray_method_refuses_colours_with_the_way_out(coloured):
    with pytest.raises(FaceSetError, match="coloured is in colour.*gray --crop"):
        seen(coloured, None, channels=1)


def test_reference_faces_stand_beside_colour_images_too(coloured):
    examples = seen(coloured, None)
    for batch in batches(examples):
        assert batch.image.shape == batch.reference.shape == (10, 3, 32, 32)
    assert torch.equal(in_order(examples, "reference"), in_order(examples)[coloured.table["reference"].tolist()])


def test_nothing_covered_gives_no_image(faces):
    nothing = seen(faces, Cover(KINDS, "training"), Part(np.array([], dtype=int), np.array([], dtype=int)))
    assert len(nothing) == 0 and sum(len(batch.image) for batch in nothing.in_order()) == 0


def test_an_unknown_kind_is_refused_with_the_known_ones(faces):
    with pytest.raises(ValueError, match=r"no occlusion \['fog'\].*hands"):
        seen(faces, Cover(("fog",), "training"))


@pytest.mark.parametrize("cover", [Cover(KINDS, "training"), None], ids=["covered", "reference"])
@pytest.mark.parametrize("colour", [False, True])
def test_images_too_many_to_hold_are_read_batch_by_batch_with_the_same_result(
    faces, coloured, cover, colour, monkeypatch
):
    part = Part(np.array([14, 3, 29, 7, 11, 0, 22]), np.arange(7))
    held = seen(coloured if colour else faces, cover, part)
    monkeypatch.setattr("fercore.faces.examples.HELD", 0)
    read = seen(coloured if colour else faces, cover, part)
    for one, other in ((held.in_order(3), read.in_order(3)), (epoch_of(held), epoch_of(read))):
        for ours, theirs in zip(one, other, strict=True):
            assert vars(ours).keys() == vars(theirs).keys() and (ours.privileged is None) == (cover is None)
            for field, value in vars(ours).items():
                same = torch.equal(value, getattr(theirs, field)) if isinstance(value, torch.Tensor) else True
                assert same and type(value) is type(getattr(theirs, field)), field


def epoch_of(examples):
    return examples.epoch(3, torch.Generator().manual_seed(0), MOVED)
