"""Tables with a column per test, on tiny runs: the printed number of the right cell, ours of the right images."""

import numpy as np
import pandas as pd
import pytest
from factories import small_faces
from run_factories import TINY_OCCLUDED

from fercore import precondition, published, reconstructions, references, tables
from fercore.ablation import Ablation
from fercore.evaluation import Interval, accuracy, accuracy_interval, difference_interval
from fercore.faces.protocols import SIX
from fercore.tables import Column
from fercore.tables.columns import points
from fercore.trials import Trial

ROWS = ["ResNet", "LIR", "rec", "PG-CNN"]
MOUTH = Trial("mouth", occlusions=("mouth",))
FULL = "Ours: ResNet+l_sim+l_LIR+l_adv+l_rec"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("columns")
    small_faces(12, SIX, 3, size=33).save(folder / "data" / "prepared" / "ckplus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder / "data"))
        patch.setenv("FERCORE_RESULTS", str(folder / "results"))
        changes = TINY_OCCLUDED | {"pretraining": "own"}
        yield Ablation("occluded", "ckplus", ROWS, "ckplus636", [0, 1], "smoke", "prepared", changes=changes).train()


@pytest.fixture(scope="module")
def columns(study) -> list[Column]:
    return [Column("CK+ R8", study), Column("CK+ mouth occluded", study, MOUTH)]


def test_every_cell_has_its_printed_number_and_our_accuracy_on_its_own_images(study, columns):
    table = tables.beside_printed(columns, 2)
    assert table.index.tolist()[:3] == ["RGBT", "WLS-RF", "PG-CNN"] and table.index[-1] == FULL
    for column in columns:
        printed = table[column.printed, "printed %"]
        assert printed[FULL] == published.value("occluded", 2, FULL, column.printed)
        ours = table[column.printed, "ours % [95 %]"]
        for name, variant in (("ResNet", "ResNet"), ("ResNet+l_rec", "rec"), ("PG-CNN", "PG-CNN")):
            expected = accuracy_interval(study.predictions(variant, trial=column.trial))
            assert ours[name] == str(expected)
        assert ours[["RGBT", "gACNN", FULL]].isna().all()  # cited, or not run
    assert study.predictions("rec", trial=MOUTH)["row"].tolist() == study.predictions("rec")["row"].tolist()


def test_gains_are_over_the_baseline_of_the_same_column(study, columns):
    table = tables.gains_by_column(columns, 2)
    assert set(table.index) == set(ROWS) - {"ResNet"}
    gap = difference_interval(study.predictions("rec", trial=MOUTH), study.predictions("ResNet", trial=MOUTH))
    assert table.loc["rec", ("CK+ mouth occluded", "ours [95 %]")] == points(gap)
    assert table.loc["rec", ("CK+ mouth occluded", "printed")] == pytest.approx(92.45 - 92.30)


@pytest.mark.parametrize(("low", "high", "arrow"), [(0.01, 0.05, "↑"), (-0.05, -0.01, "↓"), (-0.01, 0.01, "")])
def test_an_arrow_only_where_the_interval_leaves_out_zero(low, high, arrow):
    text = points(Interval((low + high) / 2, low, high))
    assert text.rstrip("↑↓ ") == f"{50 * (low + high):+.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    assert text.endswith(arrow) and ("↑" in text) + ("↓" in text) == len(arrow)


def test_the_stamp_names_each_study_once_and_the_data_of_a_foreign_trial(study, columns):
    assert tables.stamp_of(columns) == study.stamp
    foreign = Column("FED-RO", study, Trial("fedro", "ckplus636"))
    credit = foreign.trial.credit(study.runs()[0])
    assert tables.stamp_of([columns[0], foreign]) == f"{study.stamp} ‖ {study.stamp} · tested on: {credit}"


def test_precondition_compares_the_teacher_on_clean_faces_with_the_student_on_covered_ones(study):
    row = precondition.table([study]).loc["ckplus"]
    teachers = study.pretrained("clean")
    assert [run.spec.variant for run in teachers] == ["clean", "clean"]
    clean = pd.concat([Trial("clean").predictions(run) for run in teachers], ignore_index=True)
    assert row["teacher, clean %"] == str(accuracy_interval(clean))
    assert row["teacher on clean over ResNet on occluded"].startswith(
        f"{100 * (accuracy(clean) - accuracy(study.predictions('ResNet'))):+.1f}"
    )
    student, teacher = precondition.loss(study.predictions("ResNet")), precondition.loss(clean)
    assert row["Eq. 2 holds for, % of images"] == pytest.approx(100 * np.mean(student >= teacher))


def test_loss_is_the_cross_entropy_of_the_true_class():
    table = pd.DataFrame({"label": ["a", "b"], "p_a": [0.2, 0.6], "p_b": [0.8, 0.4]})
    assert precondition.loss(table).tolist() == pytest.approx([-np.log(0.2), -np.log(0.4)])


def test_hinges_are_two_arms_on_the_images_of_the_study(study):
    table = precondition.hinges(study, 0.5)
    assert table.index.tolist() == ["printed", "flipped"] and (table["lambda_2"] == 0.5).all()
    assert table["active after training, % of test images"].between(0, 100).all()


def test_reconstructions_face_the_input_and_the_mean_face(study):
    found = reconstructions.errors(study.runs())
    assert set(found["estimate"]) == {"rec", *reconstructions.BASELINES}
    run = study.runs("rec")[0]
    faces, division = run.faces(), run.division()
    batch = next(run.spec.examples(faces, division.test, "test").in_order(1000))
    first = found[(found["fold"] == 0) & (found["estimate"] == "the occluded input")]
    expected = ((batch.image - batch.privileged) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(first["error"], expected, rtol=1e-5)
    train = run.spec.examples(faces, division.train, "training")
    mean = next(train.in_order(10_000)).privileged.mean(0)
    of_mean = found[(found["fold"] == 0) & (found["estimate"] == "mean face")]
    np.testing.assert_allclose(of_mean["error"], ((mean - batch.privileged) ** 2).mean((1, 2, 3)), rtol=1e-4)
    assert found["SSIM"].between(-1, 1).all()


def test_hidden_and_visible_parts_make_the_whole(study):
    parts = {place: reconstructions.errors(study.runs(), place) for place in reconstructions.PLACES}
    seen = parts["visible part"].query("estimate == 'the occluded input'")
    assert (seen["error"] == 0).all()  # where nothing covers a face the input is right
    whole, hidden = (parts[p].query("estimate == 'rec'")["error"].mean() for p in ("whole face", "hidden part"))
    assert whole > 0 and hidden > 0
    table = references.comparison(parts["hidden part"].drop(columns="SSIM"), reconstructions.BASELINES)
    assert set(table.index) == {"rec", *reconstructions.BASELINES} and table.loc["rec", "reading"]
