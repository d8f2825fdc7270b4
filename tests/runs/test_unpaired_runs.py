"""Unpaired through the run store: who is seen in which modality, by which stage; and what cannot be run."""

from dataclasses import replace

import numpy as np
import pytest
from factories import same_bits, small_faces, snapshot, two_modalities
from run_factories import beside_spec, no_training, weights

from fercore import runs, training
from fercore.faces.accompanied import Accompanied
from fercore.faces.faceset import FaceSetError
from fercore.faces.modalities import FACE
from fercore.papers.unpaired import VARIANTS
from fercore.predictions import predictions
from fercore.runs import ChangeError, get_or_train, pretrain
from fercore.stages import pretraining_of

PAINS = ("happiness", "pain", "surprise")
LAUGHS = ("laughter", "posed_laughter", "speech")


@pytest.fixture(scope="module", autouse=True)
def modalities(data):
    """More prepared sets: "mmse", 12 people in both modalities, and "mahnob", 22 who laugh."""
    two_modalities(small_faces(12, PAINS, 3)).save(data / "prepared" / "mmse")
    two_modalities(small_faces(22, LAUGHS, 2)).save(data / "prepared" / "mahnob")


@pytest.fixture
def trainings(monkeypatch):
    """Of every training by its variant: the examples it sees, and its networks at the start."""
    begun, ordinary = {}, training.fit

    def fit(method, examples, *args, title="", **kwargs):
        start = {name: snapshot(network) for name, network in method.named_children()}
        assert title.split()[0] not in begun, "trained twice"
        begun[title.split()[0]] = (examples, start)
        return ordinary(method, examples, *args, title=title, **kwargs)

    monkeypatch.setattr(runs, "fit", fit)
    return begun


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(runs, "fit", no_training)


def own_rows(examples) -> list[int]:
    return (examples.own if isinstance(examples, Accompanied) else examples).rows["image"].tolist()


def people(faces, rows) -> set[str]:
    return set(faces.table["subject"].iloc[rows])


def shown(faces, rows) -> set[str]:
    return set(faces.table["modality"].iloc[rows])


def test_every_row_sees_the_same_visible_images_and_starts_from_the_same_stage(trainings):
    found = {variant: get_or_train(beside_spec(variant)) for variant in ("ResNet", "Ours", "Wang")}
    assert list(trainings) == ["visible", "ResNet", "thermal", "Ours", "Wang"]
    faces = found["Ours"].faces()
    rows = {variant: own_rows(trainings[variant][0]) for variant in ("visible", *found)}
    assert rows["visible"] == rows["ResNet"] == rows["Ours"] == rows["Wang"]
    assert shown(faces, rows["Ours"]) == {"visible"}
    assert {run.about["images"]["train"] for run in found.values()} == {len(rows["Ours"])} != {0}
    assert len({run.about["images"]["test"] for run in found.values()}) == 1
    for variant, run in found.items():
        assert set(run.history) == {"epoch", "iteration", *VARIANTS[variant]}
        assert np.isfinite(run.history.to_numpy()).all()
        start, stages = trainings[variant][1], {}
        for name in {"visible", "thermal"} & start.keys():
            stages[name] = snapshot(pretrain(run.spec, name).method().get_submodule(name))
            assert same_bits(start[name], stages[name]), (variant, name)
            moved = not same_bits(snapshot(run.method().get_submodule(name)), stages[name])
            assert moved == (name == "visible" or variant == "Wang"), (variant, name)


@pytest.mark.parametrize(("fold", "inner"), [(0, None), (3, None), (0, 2)])
def test_nobody_is_seen_twice_and_no_test_person_ever(trainings, fold, inner):
    run = get_or_train(beside_spec("Ours", fold, inner=inner))
    faces, ours = run.faces(), trainings["Ours"][0]
    beside = ours.others.rows["image"]
    assert shown(faces, beside) == {"thermal"} and ours.others.faces.fingerprint == faces.fingerprint
    sides = [people(faces, own_rows(ours)), people(faces, beside), set(run.about["test_subjects"])]
    assert not any(a & b for a, b in ((sides[0], sides[1]), (sides[0], sides[2]), (sides[1], sides[2])))
    held_out = set() if inner is None else people(faces, beside_spec("ResNet", fold).divide(faces).test.rows)
    assert set.union(*sides) == set(faces.table["subject"]) - held_out
    assert own_rows(trainings["thermal"][0]) == beside.tolist()  # the stage sees what stands beside


def test_the_thermal_stage_is_tested_on_thermal_images_of_the_test_people(trainings):
    stage = pretrain(beside_spec("Ours", 1), "thermal")
    faces, rows = stage.faces(), stage.predictions["row"].to_numpy()
    assert shown(faces, rows) == {"thermal"} and people(faces, rows) == set(stage.about["test_subjects"])
    assert shown(faces, stage.division().test.rows) == {"thermal"} and list(trainings) == ["thermal"]
    tested = stage.spec.examples(faces, stage.division().test, "test")
    again = predictions(stage.method(), faces, stage.division().test, stage.division().classes, tested)
    assert again.assign(fold=1).equals(stage.predictions) and stage.features.shape == (len(rows), 64)
    resnet = get_or_train(beside_spec("ResNet", 1))
    assert shown(faces, resnet.predictions["row"]) == {"visible"}
    assert resnet.about["test_subjects"] == stage.about["test_subjects"]


def test_a_paired_row_sees_each_face_in_both_modalities(trainings):
    faces = get_or_train(beside_spec("Wang")).faces()
    rows = trainings["Wang"][0].rows
    pairs = [faces.table[FACE].iloc[rows[view]].to_numpy().tolist() for view in ("image", "privileged")]
    assert pairs[0] == pairs[1] and shown(faces, rows["privileged"]) == {"thermal"}
    thermal = own_rows(trainings["thermal"][0])
    assert not people(faces, thermal) & people(faces, rows["privileged"])  # its stage saw the others


def test_images_divided_by_face_share_people_but_no_face(trainings):
    faces = get_or_train(beside_spec("Ours", partition="image")).faces()
    own, beside = own_rows(trainings["Ours"][0]), trainings["Ours"][0].others.rows["image"]
    assert people(faces, own) & people(faces, beside)
    sides = [set(map(tuple, faces.table[FACE].iloc[rows].to_numpy())) for rows in (own, beside)]
    assert not sides[0] & sides[1]


def test_no_partition_shows_everyone_in_both_and_m_draws_as_many_of_each(trainings):
    get_or_train(beside_spec("ResNet", partition="none", pretraining=""))
    resnet = len(trainings.pop("ResNet")[0])
    run = get_or_train(beside_spec("Ours", partition="none", m=11, pretraining=""))
    examples = trainings["Ours"][0]
    assert len(examples.own) == len(examples.others) == run.about["images"]["train"] == 11
    assert resnet == 10 * 9  # ten people's three expressions in three frames


def test_a_visible_set_learns_beside_the_thermal_images_of_another_one(trainings):
    run = get_or_train(beside_spec("Ours", 3, "ckplus", "ckplus7"))
    faces, examples = run.faces(), trainings["Ours"][0]
    division = run.division()
    assert own_rows(examples) == own_rows(trainings["visible"][0]) == division.train.labelled.rows.tolist()
    assert examples.others.faces.name == "gratings" and shown(examples.others.faces, examples.others.rows["image"])
    stage = pretrain(run.spec, "thermal")
    assert (stage.spec.dataset, stage.spec.protocol, stage.spec.fold) == ("mmse", "mmse4", 0)
    assert stage.about["classes"] == ["neutral", "happiness", "surprise", "pain"] and len(run.about["classes"]) == 7
    everything = stage.spec.divide(stage.faces(), "thermal").train
    assert own_rows(trainings["thermal"][0]) == examples.others.rows["image"].tolist() == everything.rows.tolist()
    assert people(faces, division.test.rows) == set(run.about["test_subjects"])
    assert "L_l" in run.history and run.method().D_l.layers[0].in_features == 3
    del trainings["visible"], trainings["Ours"]
    get_or_train(beside_spec("Ours", 4, "ckplus", "ckplus7"))
    assert list(trainings) == ["thermal", "visible", "Ours"]  # one thermal stage for all folds


def test_another_databases_stage_is_the_same_however_it_is_asked_for(trainings):
    default, named = (beside_spec("Ours", 2, "ckplus", "ckplus7", **c) for c in ({}, {"thermal": "mmse4", "m": 7}))
    stages = [pretraining_of(spec, "thermal") for spec in (default, named)]
    assert stages[0].folder == stages[1].folder
    get_or_train(named)
    assert list(trainings) == ["visible", "thermal", "Ours"]
    asked = pretraining_of(beside_spec("Ours", 2, "ckplus", "own", thermal="laughter_posed"), "thermal")
    assert (asked.dataset, asked.protocol, asked.config.thermal) == ("mahnob", "laughter_posed", "own")
    assert asked.config.streams(asked, asked.faces(), asked.divide(asked.faces())).beside is None


def test_a_game_without_weight_leaves_the_visible_network_as_the_row_without_a_game_has_it():
    settings = {"iterations": 9, "scale": 0.1, "rotation": 9.0, "intensity": 0.2}  # of several epochs, all random
    plain = get_or_train(beside_spec("ResNet", **settings))
    idle = get_or_train(beside_spec("L_v+L_h+L_l", lambda_1=0.0, lambda_2=0.0, **settings))
    assert same_bits(snapshot(plain.method().visible), snapshot(idle.method().visible))


def test_label_sets_off_drop_the_label_game_of_a_visible_set(trainings):
    run = get_or_train(beside_spec("Ours", 0, "ckplus", "ckplus7", label_sets="off", pretraining=""))
    assert set(run.history) == {"epoch", "iteration", "L_a", "L_h", "L_r", "discriminate_h"}
    assert not hasattr(run.method(), "D_l")


def test_rows_of_one_seed_are_the_same_bits(trainings, results):
    first = weights(get_or_train(beside_spec("Ours", pretraining="")))
    (folder,) = results.rglob("mmse4-Ours-*/run.json")
    for file in sorted(folder.parent.iterdir()):
        file.unlink()
    trainings.clear()
    assert same_bits(weights(get_or_train(beside_spec("Ours", pretraining=""))), first)
    assert not same_bits(weights(get_or_train(replace(beside_spec("Pan", pretraining=""), seed=1))), first)


@pytest.mark.parametrize("variant", ["Wang", "Pan"])
def test_paired_rows_are_refused_before_any_training_where_no_face_is_seen_twice(variant, untrained):
    with pytest.raises(FaceSetError, match=f"{variant} learns from pairs.*ckplus"):
        get_or_train(beside_spec(variant, 0, "ckplus", "ckplus7"))


@pytest.mark.parametrize("variant", ["ResNet", "Ours"])  # no row takes other visible images than the rest
@pytest.mark.parametrize("protocol", ["own", "mmse4"])
def test_a_set_with_thermal_images_of_its_own_cannot_borrow_them_from_itself(protocol, variant, untrained):
    with pytest.raises(FaceSetError, match="mmse has thermal images itself; set thermal to 'own'"):
        get_or_train(beside_spec(variant, protocol=protocol, thermal="mmse4"))


def test_the_own_protocol_takes_the_sets_own_thermal_images_where_it_is_told_to(trainings):
    run = get_or_train(beside_spec("Ours", protocol="own", thermal="own", pretraining=""))
    assert shown(run.faces(), trainings["Ours"][0].others.rows["image"]) == {"thermal"}


@pytest.fixture
def elsewhere(data, tmp_path, monkeypatch):
    """Another data folder, with "ckplus" alone."""
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "prepared").mkdir(parents=True)
    (tmp_path / "data" / "prepared" / "ckplus").symlink_to(data / "prepared" / "ckplus")
    return tmp_path / "data" / "prepared"


def test_a_thermal_set_that_is_not_there_is_named(elsewhere, untrained):
    with pytest.raises(FaceSetError, match="dataset mmse is not prepared"):
        get_or_train(beside_spec("Ours", 0, "ckplus", "ckplus7"))


def test_a_thermal_set_without_the_classes_of_its_protocol_is_refused_by_class(elsewhere, untrained):
    two_modalities(small_faces(12, ("happiness", "surprise"), 3)).save(elsewhere / "mmse")
    for spec in (beside_spec("Ours"), beside_spec("Ours", 0, "ckplus", "ckplus7")):
        with pytest.raises(FaceSetError, match=r"gratings has no image of \['pain'\], which protocol mmse4 asks for"):
            get_or_train(spec)


def test_a_set_without_thermal_images_is_refused_as_such(elsewhere, untrained):
    small_faces(12, PAINS, 3).save(elsewhere / "mmse")
    for spec in (beside_spec("Ours"), beside_spec("Wang"), beside_spec("thermal"), beside_spec("ResNet"),
                 beside_spec("L_v+L_h", 0, "ckplus", "ckplus7")):  # fmt: skip
        with pytest.raises(FaceSetError, match="gratings has no thermal image to test in fold 0 of protocol mmse4"):
            get_or_train(spec)


def test_classes_with_nothing_in_common_are_refused_with_the_run(elsewhere):
    faces = small_faces(12, ("laughter", "speech"), 3)
    rows = np.flatnonzero(faces.table["label"] != "neutral")
    table = faces.table.iloc[rows].assign(reference=-1).reset_index(drop=True)
    replace(faces, images=faces.images[rows], table=table).save(elsewhere / "laughs")
    two_modalities(small_faces(12, PAINS, 3)).save(elsewhere / "mmse")
    spec = beside_spec("Ours", 0, "laughs", "own")
    with pytest.raises(ChangeError, match="Ours on laughs/own, fold0.*laughter, speech and neutral.*none in common"):
        get_or_train(spec)
    assert "L_l" not in get_or_train(beside_spec("Ours", 0, "laughs", "own", label_sets="off")).history


@pytest.mark.parametrize("field", ["weights", "thermal", "partition", "label_sets", "adversarial", "attention"])
def test_values_that_mean_nothing_are_a_change_that_cannot_be_made(field):
    with pytest.raises(ChangeError, match=f"{field} 'frame' is unknown; valid: "):
        get_or_train(beside_spec("Ours", **{field: "frame"}))


@pytest.mark.parametrize("protocol", ["laughter_posed", "laughter_speech"])
def test_the_last_of_22_people_is_left_out_and_there_is_no_23rd(protocol):
    run = get_or_train(beside_spec("Ours", 21, "mahnob", protocol, pretraining=""))
    assert run.about["test_subjects"] == ["S021"] and run.about["classes"][0] == "laughter"
    with pytest.raises(ValueError, match=r"fold 22 is out of range; valid: 0\.\.21"):
        get_or_train(beside_spec("Ours", 22, "mahnob", protocol))
