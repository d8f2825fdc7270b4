"""What a page and its menus show of a run: mistakes first, the networks' images, and what cannot be read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from factories import small_faces
from places import set_places
from run_factories import generated_spec, spec

from fercore import figures
from fercore.explore import showcase, store
from fercore.explore.browser import EVERY_CLASS, Browser
from fercore.explore.store import NoRunError
from fercore.explore.views import ORDERS, Opened
from fercore.faces.protocols import SEVEN
from fercore.runs import Run, get_or_train


def is_png(image) -> bool:
    return bytes(image.value).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two rows of GCNet on two folds, trained for ten steps."""
    folder = tmp_path_factory.mktemp("explored")
    small_faces(12, SEVEN, 5).save(folder / "data" / "prepared" / "ckplus")
    with pytest.MonkeyPatch.context() as patch:
        set_places(patch, folder)
        for asked in (spec("CNN"), spec("S1R1"), spec("S1R1", 1)):
            get_or_train(asked)
    return folder


@pytest.fixture
def held(place, monkeypatch) -> store.Store:
    set_places(monkeypatch, place)
    return store.finished()


@pytest.fixture
def opened(held) -> Opened:
    return Opened.of(held.of(variant="S1R1", fold=0)[0])


def test_mistakes_come_first_and_the_surest_of_them_at_the_top(opened):
    table = opened.ordered("mistakes first")
    wrong = (table["label"] != table["predicted"]).to_numpy()
    assert wrong.any() and not wrong.all() and (np.diff(wrong.astype(int)) <= 0).all()
    score = table[[c for c in table if c.startswith("p_")]].max(axis=1).to_numpy()
    assert (np.diff(score[wrong]) <= 0).all() and (np.diff(score[~wrong]) >= 0).all()
    assert sorted(table["row"]) == sorted(opened.predictions["row"])
    assert len(opened.ordered("mistakes")) == wrong.sum() and len(opened.ordered("right ones")) == (~wrong).sum()
    assert opened.ordered(ORDERS[-1])["row"].tolist() == opened.run.predictions["row"].tolist()


def test_a_telling_choice_has_both_sides_and_one_image_of_a_sequence(opened):
    chosen = opened.telling(6)
    assert len(chosen) == 6 and not chosen.duplicated(["subject", "sequence"]).any()
    assert 0 < chosen["right"].sum() < 6 and chosen["label"].nunique() >= 3


@pytest.mark.parametrize("right", [True, False])
def test_where_all_are_right_or_wrong_the_choice_is_filled_with_them(opened, right):
    opened.__dict__["predictions"] = opened.predictions.assign(right=right)
    assert len(opened.telling(6)) == 6


def test_views_hold_the_image_its_reference_and_what_the_networks_make(opened):
    rows = opened.predictions["row"].to_numpy()[:3]
    views = opened.views(rows)
    made = ["generated reference", "reconstructed neutral", "reconstructed input"]
    assert list(views) == ["input", "true reference", *made] and opened.note == ""
    faces = opened.run.faces()
    crop = faces.images[rows][:, :16, :16] / 255  # the middle 16 of 17 pixels begin at 0
    assert np.abs(views["input"] - crop).max() < 1e-6
    own = faces.images[faces.table["reference"].to_numpy()[rows]][:, :16, :16] / 255
    assert np.abs(views["true reference"] - own).max() < 1e-6


def test_scores_shown_are_those_of_the_network_on_the_image_shown(opened):
    table = opened.predictions.head(4)
    said = opened.method.predict(opened.seen(table["row"].to_numpy())).numpy()
    assert np.abs(said - table[[f"p_{name}" for name in opened.classes]].to_numpy()).max() < 1e-5


def test_a_row_without_images_of_its_own_says_so(held):
    plain = Opened.of(held.of(variant="CNN")[0])
    assert "makes no images" in plain.note and list(plain.views(plain.predictions["row"].to_numpy()[:2]))[0] == "input"
    assert plain.note in showcase.told(plain)


def test_the_sentence_counts_what_is_recognised_and_tells_staleness(opened):
    right = (opened.run.predictions["label"] == opened.run.predictions["predicted"]).mean()
    assert f"{100 * right:.1f} [" in showcase.told(opened) and "other code" not in showcase.told(opened)
    old = Opened(replace(opened.run, about=opened.run.about | {"source_digest": "of last year"}))
    assert "**Made with other code or images than today's.**" in showcase.told(old)
    assert "other code or images" in old.stamp


def test_bars_are_green_where_true_and_red_where_wrong():
    table = pd.DataFrame({"label": ["a", "a"], "predicted": ["a", "b"], "p_a": [0.9, 0.2], "p_b": [0.1, 0.8]})
    figure = figures.predicted(table, {"input": np.zeros((2, 8, 8))}, ["a", "b"], "the stamp")
    (axis,) = figure.axes
    green, red, gray = ((0.172549, 0.627451, 0.172549), (0.839216, 0.152941, 0.156863), (0.75, 0.75, 0.75))
    shown = [[bar.get_facecolor()[:3] for bar in bars] for bars in axis.containers]
    assert shown[0] == [pytest.approx(green, abs=1e-3), pytest.approx(gray)]
    assert shown[1] == [pytest.approx(green, abs=1e-3), pytest.approx(red, abs=1e-3)]
    widths = [bar.get_width() for bar in axis.containers[1]]
    assert widths[1] / widths[0] == pytest.approx(4) and widths[1] < 0.8  # a score of 1 is as wide as a picture
    heads = [text.get_text() for text in axis.get_xticklabels()]
    assert heads == ["a\nrecognised", "a\n→ b"] and figure.get_supxlabel() == "the stamp"
    assert [text.get_text() for text in axis.get_yticklabels()] == ["input", "a", "b"]


def test_a_page_shows_one_run_in_full(held):
    said, strip, confusion = showcase.one(held, "gcnet", "ckplus", "S1R1", 0, "smoke", "prepared")
    assert "S1R1" in said.data and "fold 0" in strip.get_supxlabel() and "fold 0" in confusion.get_supxlabel()


def test_menus_offer_what_is_finished_and_narrow_each_other(held):
    browser = Browser(held)
    paper, data, row, fold = browser.menus
    assert (paper.options, row.options) == (("gcnet",), row.options[:2]) and len(data.options) == 1
    assert row.value.startswith("S1R1") and fold.options == ("fold 0, seed 0", "fold 1, seed 0")
    assert is_png(browser.strip) and is_png(browser.confusion)
    before, matrix = browser.strip.value, browser.confusion.value
    fold.value = "fold 1, seed 0"
    assert browser.opened.run.spec.fold == 1 and browser.strip.value != before and browser.confusion.value != matrix
    row.value = next(name for name in row.options if name.startswith("CNN"))
    assert browser.opened.run.spec == spec("CNN") and fold.options == ("fold 0, seed 0",)
    assert "makes no images" in browser.said.value


def test_pages_orders_and_classes_change_the_images(held):
    browser = Browser(held)
    first, count = browser.strip.value, len(browser.opened.predictions)
    assert browser.page.max == -(-count // 8) > 1 and f"1 to 8 of {count}" in browser.said.value
    browser.page.value = 2
    assert browser.strip.value != first and f"9 to {min(16, count)} of {count}" in browser.said.value
    browser.order.value = "mistakes"
    wrong = (~browser.opened.predictions["right"]).sum()
    assert browser.page.value == 1 and f"of {wrong}." in browser.said.value
    browser.label.value = "fear"
    fear = browser.opened.ordered("mistakes")
    count = (fear["label"] == "fear").sum()
    assert (f"of {count}." if count else "No such image.") in browser.said.value
    assert browser.label.options[0] == EVERY_CLASS and set(browser.label.options[1:]) == set(SEVEN)


def test_no_image_that_fits_is_said(held):
    browser = Browser(held)
    browser.opened.__dict__["predictions"] = browser.opened.predictions.assign(right=True)
    browser.order.value = "mistakes"
    assert "No such image." in browser.said.value and browser.strip.layout.display == "none"


def test_menus_over_nothing_say_which_command_makes_a_run():
    browser = Browser(store.Store((), 0, {}))
    assert "make reproduce" in browser.said.value and browser.opened is None
    browser.order.value = "mistakes"
    browser.page.value = 1
    assert "make reproduce" in browser.said.value


def test_a_run_that_is_gone_or_damaged_is_told_and_the_others_still_open(held, place, tmp_path, monkeypatch):
    gone: Run = held.of(variant="CNN")[0]
    browser = Browser(held)
    name = next(name for name in browser.menus[2].options if name.startswith("CNN"))
    folder = gone.spec.folder
    aside = folder.rename(tmp_path / "aside")
    try:
        with pytest.raises(NoRunError, match="not in the store any more"):
            Opened.of(gone)
        browser.menus[2].value = name
        assert "cannot be shown" in browser.said.value and browser.strip.layout.display == "none"
        browser.menus[2].value = next(one for one in browser.menus[2].options if one != name)
        assert is_png(browser.strip) and browser.strip.layout.display is None
    finally:
        aside.rename(folder)
    weights = folder / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    browser.menus[2].value = name
    weights.write_bytes(whole)
    assert "cannot be shown" in browser.said.value


def test_views_of_occluded_show_what_covers_the_face_and_what_does_not(occluded_study):
    run = Opened.of(occluded_study.runs("rec")[0])
    views = run.views(run.predictions["row"].to_numpy()[:2])
    assert list(views) == ["input", "without occlusion", "reconstruction"]
    assert (views["input"] != views["without occlusion"]).any()


def test_a_normalised_face_is_shown_once_its_generator_is_there(tmp_path, monkeypatch):
    set_places(monkeypatch, tmp_path)
    small_faces(8, ("happiness", "surprise"), 3, size=32).save(tmp_path / "data" / "prepared" / "emotions")
    run = Opened.of(get_or_train(generated_spec("softmax", pretraining="")))
    rows = run.predictions["row"].to_numpy()[:2]
    assert "generator" in run.note and "normalised face" not in run.views(rows)
    asked = []
    monkeypatch.setattr("fercore.explore.views.pretraining_of", lambda *which: asked.append(which) or run.run.spec)
    assert Opened(run.run).generator is not None and asked == [(run.run.spec, "HNG")]
