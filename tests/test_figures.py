"""Every figure says at its foot what it was made from, and shows what it says."""

import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from factories import small_faces
from matplotlib.figure import Figure
from PIL import Image
from result_factories import store_all, store_untrained, study

from fercore import failing_losses, figures, paths
from fercore.faces.protocols import SEVEN
from fercore.figures import features
from fercore.figures.page import face_grid, new, stamped
from fercore.papers.gcnet import PRETRAINING, VARIANTS
from fercore.trials import Trial

STAMP = "tier smoke · data: drawn by the tests; no person · folds 0 of 10 (missing 1-9) · seeds 0 · commit c0ffee0123"
OF_A_STUDY = ("accuracy_bars", "confusion_by_protocol", "confusion_matrices", "small_expressions")
ELSEWHERE = {  # tested with what they are drawn of
    "alignment", "estimates", "identity_distances", "judge", "normalised_faces", "photographed", "predicted", "tornado",
}  # fmt: skip
CURVE = pd.DataFrame({"steps": [0, 20], "seconds": [0.0, 1.0], "accuracy": [0.2, 0.6]})
NETWORKS = ["CNN", "metricCNN", "S0R0", "S0R1", "S1R1"]


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory):
    """Prepared faces, and the runs of one fold with random networks."""
    folder = tmp_path_factory.mktemp("figures")
    small_faces(12, SEVEN, 5).save(folder / "data" / "prepared" / "ckplus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder / "data"))
        patch.setenv("FERCORE_RESULTS", str(folder / "results"))
        yield folder


@pytest.fixture(scope="module")
def runs(place) -> dict:
    return {spec.variant: store_untrained(spec) for spec in study(NETWORKS, [0]).specs}


@pytest.fixture(scope="module")
def scored(place):
    """CNN errs in fold 1 on half of its images, S1R1 on none."""
    answers = {("CNN", 1): [True, False] * 7, ("S1R1", 1): [True] * 14}
    asked = store_all(study(folds=[1]), answers)
    for run in asked.runs():
        some = run.predictions.drop(columns="fold")
        some.assign(intensity=0.5).to_parquet(run.spec.folder / "early.parquet", index=False)
    return asked


@pytest.fixture
def draw(runs, scored, monkeypatch):
    """Every figure by name; UMAP, whose import compiles for seconds, is replaced by the first two dimensions."""
    monkeypatch.setattr(features, "_umap", lambda points, seed: points[:, :2])
    printed = pd.Series({"CNN": 96.94, "S1R1": 97.93})
    by_name = {
        "generation": lambda: figures.generation(runs["S1R1"], STAMP),
        "mistakes": lambda: figures.mistakes(Spoilt(runs["CNN"]), STAMP),
        "course": lambda: figures.course(runs["CNN"], STAMP),
        "embedding": lambda: figures.embedding([runs["CNN"], runs["S1R1"]], STAMP),
        "filters": lambda: figures.filters(runs["S1R1"], STAMP),
        "occlusions": lambda: figures.occlusions(small_faces(4, SEVEN, 2, size=33), ("R8", "mouth"), STAMP),
        "learning_curves": lambda: figures.learning_curves(runs["S1R1"].history, STAMP),
        "accuracy_along": lambda: figures.accuracy_along({0.5: scored, 1.0: scored}, "CNN", "weight", 1.0, STAMP),
        "against_seconds": lambda: figures.against_seconds({"CNN": CURVE}, 0.5, STAMP),
        "failing_losses": lambda: figures.failing_losses(failing_losses.scene(), 100.0, STAMP),
        "confusion_by_protocol": lambda: figures.confusion_by_protocol({"CK+": scored}, "CNN"),
        "accuracy_bars": lambda: figures.accuracy_bars(scored, printed),
        "confusion_matrices": lambda: figures.confusion_matrices(scored, ["CNN", "S1R1"]),
        "confusion_matrix": lambda: figures.confusion_matrix(scored.predictions("CNN"), scored.classes, "CNN", STAMP),
        "small_expressions": lambda: figures.small_expressions(scored, ["CNN", "S1R1"]),
    }
    return lambda name: by_name[name]()


class Spoilt:
    """A run seen with three wrong predictions, of rising score."""

    def __init__(self, run):
        self.spec, self.faces, self.predictions = run.spec, run.faces, run.predictions
        self.wrong = self.predictions.drop_duplicates(["subject", "sequence"]).index[:3]
        for place, (row, score) in enumerate(zip(self.wrong, (0.6, 0.7, 0.8), strict=True)):
            self.predictions.loc[row, "predicted"] = "surprise" if place else "sadness"
            self.predictions.loc[row, "p_surprise"] = score


def foot(figure) -> str:
    return re.sub(r"\s", "", figure.get_supxlabel())


def images(figure) -> list[np.ndarray]:
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]


@pytest.mark.parametrize("name", sorted(set(figures.__all__) - ELSEWHERE - {"save", "png"}))
def test_every_figure_is_stamped_filled_and_shows_itself(name, draw, scored):
    figure = draw(name)
    stamp = scored.stamp if name in OF_A_STUDY else STAMP
    assert isinstance(figure, Figure) and foot(figure) == re.sub(r"\s", "", stamp)
    assert figure.axes and all(axis.has_data() for axis in figure.axes)
    picture = figure._repr_png_() or figure._repr_jpeg_()
    assert picture.startswith((b"\x89PNG", b"\xff\xd8")) and len(picture) > 1000
    label = figure._supxlabel.get_window_extent()
    assert label.x0 >= 0 and label.x1 <= figure.bbox.width and label.y0 >= 0, "the stamp is cut off"
    assert not plt.get_fignums()  # nothing stays open: a notebook would show it twice


def test_a_race_marks_where_each_first_reaches_the_target_and_thickens_the_last():
    slow = CURVE.assign(accuracy=[0.2, 0.4])
    curves = {"CNN": CURVE, "slow": slow, "S1R1": CURVE.assign(seconds=[0.0, 3.0])}
    (axis,) = figures.against_seconds(curves, 0.5, STAMP).axes
    dots = [line.get_xydata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert dots == [[[1.0, 0.6]], [[3.0, 0.6]]]  # the slow one has none
    width = {line.get_label(): line.get_linewidth() for line in axis.lines if line.get_marker() != "o"}
    assert width["S1R1"] > 2 * width["CNN"] == 2 * width["slow"]


@pytest.mark.parametrize(("variant", "beside"), [
    ("CNN", []), ("metricCNN", ["true reference"]), ("S0R0", ["true reference", "generated reference"]),
    ("S1R1", ["true reference", "generated reference", "reconstructed neutral", "reconstructed input"]),
])  # fmt: skip
def test_generation_shows_what_the_runs_terms_ask_for_and_train(variant, beside, runs):
    figure = figures.generation(runs[variant], STAMP, images=4)
    names = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert names == ["input", *beside]
    assert len(images(figure)) == 4 * len(names)


def test_generation_of_a_pretraining_shows_the_reconstruction():
    assert "reconstruction" in PRETRAINING
    run = store_untrained(study(["reconstruction"], [0], protocol="ckplus7").specs[0])
    names = [axis.get_ylabel() for axis in figures.generation(run, STAMP).axes if axis.get_ylabel()]
    assert names == ["input", "reconstructed input"]


def test_the_first_images_are_of_different_people_and_different_classes(runs):
    """Everybody's first class is the same one here."""
    labels = [axis.get_title() for axis in figures.generation(runs["S0R0"], STAMP, images=2).axes if axis.get_title()]
    assert len(set(labels)) == 2


def test_generation_shows_people_and_classes_in_turn_above_their_own_reference(runs):
    run = runs["S0R0"]
    figure = figures.generation(run, STAMP, images=6)
    labels = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert len(set(labels)) >= 3 and "neutral" not in labels
    inputs, references, generated = np.split(np.stack(images(figure)), 3)
    faces = run.faces()
    crops = np.asarray(faces.images)[:, :16, :16] / 255
    table = faces.table
    rows = [int(np.abs(crops - shown).sum((1, 2)).argmin()) for shown in inputs]
    assert table["label"][rows].tolist() == labels
    assert set(table["subject"][rows]) == {"S000", "S010"}  # both people of this fold
    np.testing.assert_allclose(references, crops[table["reference"][rows]], atol=1e-6)
    assert not np.allclose(generated, references, atol=0.01)


def test_mistakes_come_surest_first_with_both_classes(runs):
    run = Spoilt(runs["CNN"])
    figure = figures.mistakes(run, STAMP)
    heads = [axis.get_title() for axis in figure.axes]
    true = run.predictions.loc[run.wrong[::-1], "label"].tolist()
    assert heads == [f"{a}\n→ {b}" for a, b in zip(true, ["surprise", "surprise", "sadness"], strict=True)]
    surest = run.faces().images[run.predictions.loc[run.wrong[2], "row"], :16, :16] / 255  # as the network saw it
    np.testing.assert_allclose(images(figure)[0], surest)


def test_mistakes_of_several_folds_are_the_surest_of_all(runs):
    of_one = figures.mistakes(Spoilt(runs["CNN"]), STAMP)
    of_both = figures.mistakes([runs["S1R1"], Spoilt(runs["CNN"])], STAMP)  # the first of them made none
    assert [axis.get_title() for axis in of_both.axes] == [axis.get_title() for axis in of_one.axes] != []
    np.testing.assert_array_equal(images(of_both), images(of_one))


def test_no_mistake_is_said_and_stamped(runs):
    figure = figures.mistakes(runs["S1R1"], STAMP)
    assert [text.get_text() for text in figure.texts if "no mistake" in text.get_text()] and not figure.axes
    assert foot(figure) == re.sub(r"\s", "", STAMP) and figure._repr_png_().startswith(b"\x89PNG")


def test_course_names_the_prediction_of_every_classified_frame(runs):
    figure = figures.course(runs["CNN"], STAMP, sequences=2)
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()] == ["anger", "contempt"]
    assert [axis.get_title() for axis in figure.axes] == ["", *["anger"] * 4, "", *["contempt"] * 4]
    pixels = images(figure)
    assert len(pixels) == 10 and not np.array_equal(pixels[0], pixels[4])


def test_filters_are_those_of_the_networks(runs):
    figure = figures.filters(runs["S1R1"], STAMP, decoder_filters=5)
    assert [axis.get_title() for axis in figure.axes] == [
        "En1, layer 1\n3 filters", "En2, layer 1\n3 filters",
        "De1, layer 2\n5 filters", "De2r, layer 2\n5 filters", "De2i, layer 2\n5 filters",
    ]  # fmt: skip
    kernel = runs["S1R1"].method().En1.layers[0][0].weight[0, 0].numpy()
    shown = images(figure)[0][1:6, 1:6]
    np.testing.assert_allclose(shown, (kernel - kernel.min()) / np.ptp(kernel), atol=1e-6)


def test_learning_curves_have_a_panel_for_every_term(runs):
    figure = figures.learning_curves(runs["S1R1"].history, STAMP)
    assert {axis.get_title() for axis in figure.axes} == set(VARIANTS["S1R1"])
    assert all(axis.lines[0].get_ydata().tolist() == [1.0, 0.5] for axis in figure.axes)


@pytest.mark.parametrize("values", [[1.0, 0.5, 0.4], [0.69, 0.69, 0.691], [0.7, 0.7, 0.7]])
def test_learning_curves_have_room_above_and_begin_at_zero(values):
    (axis,) = figures.learning_curves(pd.DataFrame({"iteration": [1, 2, 3], "term": values}), STAMP).axes
    low, high = axis.get_ylim()
    assert low == 0 and high > 1.05 * max(values)


def test_confusion_is_in_percent_of_the_true_class_with_its_count(scored):
    cnn, s1r1 = figures.confusion_matrices(scored, ["CNN", "S1R1"]).axes
    assert (cnn.get_title(), s1r1.get_title()) == ("CNN", "S1R1")
    shares = s1r1.collections[0].get_array().reshape(7, 7)
    np.testing.assert_array_equal(shares, 100 * np.eye(7))
    # fourteen images, every second wrong: of each class one is right, one is called the next class
    np.testing.assert_array_equal(
        cnn.collections[0].get_array().reshape(7, 7), 50 * (np.eye(7) + np.roll(np.eye(7), 1, axis=1))
    )
    assert [label.get_text() for label in cnn.get_yticklabels()] == [f"{name} (2)" for name in SEVEN]


def test_bars_show_ours_and_the_printed_value(scored):
    (axis,) = figures.accuracy_bars(scored, pd.Series({"S1R1": 97.93})).axes
    values = [line.get_ydata()[0] for line in axis.lines if line.get_marker() == "o"]
    printed = [line.get_ydata()[0] for line in axis.lines if line.get_marker() == "_"]
    assert values == [0.5, 1.0] and printed == [pytest.approx(0.9793)]
    assert {text.get_text() for text in axis.get_legend().get_texts()} == {"ours", "printed"}
    axis.figure.draw_without_rendering()
    legend = axis.get_legend().get_window_extent()
    assert axis.get_window_extent().x1 <= legend.x0 and legend.x1 <= axis.figure.bbox.width  # hides nothing, is whole


def test_variant_that_was_not_run_has_no_bar(scored):
    more = study(("CNN", "S0R0", "S1R1"), [1])
    (axis,) = figures.accuracy_bars(more, pd.Series({"CNN": 96.94, "S0R0": 97.08})).axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["CNN", "S1R1"]


def test_error_against_intensity_is_the_share_of_wrong_frames(scored):
    (axis,) = figures.small_expressions(scored, ["CNN", "S1R1"]).axes
    assert [line.get_label() for line in axis.lines] == ["CNN", "S1R1"]
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[0.5, 0.5], [1.0, 0.5]])
    np.testing.assert_allclose(axis.lines[1].get_xydata(), [[0.5, 0], [1.0, 0]])


def test_saved_figure_is_whole_and_handed_back(draw):
    figure = draw("learning_curves")
    assert figures.save(figure, "probe") is figure
    file = paths.results() / "figures" / "probe.png"
    assert file.read_bytes().startswith(b"\x89PNG") and [f.name for f in file.parent.iterdir()] == ["probe.png"]


def test_same_figure_has_the_same_bytes(draw):
    assert draw("filters")._repr_png_() == draw("filters")._repr_png_()


def test_long_stamp_is_wrapped_and_grid_names_its_rows():
    figure = stamped(new(3, 3), STAMP)
    face_grid(figure, [np.zeros((2, 4, 4)), np.ones((2, 4, 4))], ["above", "below"], ["a", "b"])
    assert "\n" in figure.get_supxlabel()
    assert [axis.get_ylabel() for axis in figure.axes] == ["above", "", "below", ""]
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "", ""]


def test_a_picture_of_faces_is_small_and_keeps_the_colours_of_its_words():
    noise = np.random.default_rng(0).random((6, 36, 36))
    figure = new(6, 3)
    face_grid(figure, [noise, noise[::-1]], ["above", "below"], ["wrong", *["right"] * 5])
    figure.axes[0].title.set_color("#d62728"), figure.axes[1].title.set_color("#2ca02c")
    small = figure._repr_png_()
    figure.savefig(whole := io.BytesIO(), dpi=100)
    whole = whole.getvalue()
    assert len(small) < 0.7 * len(whole)
    few, all_ = (np.array(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(int) for drawn in (small, whole))
    assert len(np.unique(few.reshape(-1, 3), axis=0)) <= 64
    for more, less in ((0, 1), (1, 0)):  # as red, as green as before
        assert (few[..., more] - few[..., less]).max() > 0.8 * (all_[..., more] - all_[..., less]).max() > 80
    assert np.abs(few - all_).mean() < 4  # of 255


def test_coloured_faces_are_shown_and_saved_as_photographs_are():
    faces = np.random.default_rng(0).random((3, 36, 36, 3))
    figure = new(3, 1)
    face_grid(figure, [faces], [""])
    assert figure._repr_png_() is None and figures.save(figure, "coloured") is figure
    small, large = figure._repr_jpeg_(), (paths.results() / "figures" / "coloured.jpg").read_bytes()
    sizes = [Image.open(io.BytesIO(drawn)).size for drawn in (small, large)]
    assert sizes == [(300, 100), (450, 150)]
    assert new(1, 1)._repr_jpeg_() is None


def test_every_row_of_occlusions_is_of_its_own_kind():
    faces = small_faces(4, SEVEN, 2, size=33)
    figure = figures.occlusions(faces, ("R8", "mouth"), STAMP, people=3)
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()] == ["as it is", "R8", "mouth"]
    clean, square, bar = np.array(images(figure)).reshape(3, 3, 33, 33)
    hidden = [(shown != clean).mean((1, 2)) for shown in (square, bar)]
    assert (hidden[0] < 0.04).all() and (hidden[1] > 0.15).all()  # 8 of 48 pixels squared; a quarter of the rows


def test_confusion_of_a_trial_is_of_that_trial_and_names_its_data(scored, monkeypatch):
    trial = Trial("far", "ckplus8")
    monkeypatch.setattr(Trial, "predictions", lambda self, run: run.predictions.assign(predicted="fear"))
    monkeypatch.setattr(Trial, "credit", lambda self, run: "faces from elsewhere")
    figure = figures.confusion_matrices(scored, ["CNN"], trial)
    shown = np.array(figure.axes[0].collections[0].get_array()).reshape(7, 7)
    assert (shown[:, SEVEN.index("fear")] == 100).all()
    assert "testedon:facesfromelsewhere" in foot(figure)
    assert "testedon" not in foot(figures.confusion_matrices(scored, ["CNN"]))


def test_points_are_flattened_for_every_seed_that_a_run_may_have():
    points = np.random.default_rng(0).standard_normal((12, 5))
    assert np.array_equal(features.tsne(points, 2**40 + 3), features.tsne(points, 3))
