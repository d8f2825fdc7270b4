"""A reader's photograph: what is refused and why, what is done to it and said, which face is taken, what models see."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import ipywidgets
import numpy as np
import pytest
from PIL import Image
from places import set_places

from fercore import parameters
from fercore.explore import photo_page, photo_scores, photograph, pictures, store
from fercore.explore.photograph import Photograph, received, with_face
from fercore.explore.views import Opened
from fercore.faces.alignment import TEMPLATE
from fercore.faces.landmarks import MESH_VERTICES, NoFaceError
from fercore.faces.photo import PhotoError


def saved(image, kind="png", **how) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **how)
    return file.getvalue()


def mesh(points) -> np.ndarray:
    """478 points, of which the five that count are given."""
    whole = np.tile(points.mean(0), (478, 1))
    whole[list(MESH_VERTICES)] = points
    return whole


def finds(*sizes):
    """A detector that finds faces of these sizes side by side, each framed as TEMPLATE."""
    starts = np.cumsum((0, *sizes))
    return lambda image: [mesh(size * TEMPLATE + (start, 0)) for start, size in zip(starts, sizes, strict=False)]


GRADIENT = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (90, 1))  # 90 x 120
COLOUR = np.stack([GRADIENT, GRADIENT[:, ::-1], GRADIENT // 2], axis=-1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "damaged or not a photograph"),
        (b"%PDF-1.4 of no use", "damaged or not a photograph"),
        (saved(COLOUR)[:200], "damaged or not a photograph"),
        (saved(COLOUR, "gif"), "damaged or not a photograph"),  # a format that stays closed
        (saved(COLOUR[:20]), "120 x 20 pixels; take one of 48 or more"),
        (saved(GRADIENT.astype(np.uint16) * 200), "more than 8 bits"),
        (b"x" * (photograph.MOST_BYTES + 1), "larger than 40 MB"),
    ],
    ids=["nothing", "a text", "cut off", "gif", "tiny", "16 bits", "heavy"],
)
def test_bad_photographs_are_refused_by_name(content, complaint):
    with pytest.raises(PhotoError, match=f"^me.png.*{complaint}"):
        received(content, "me.png")


def test_a_bomb_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr("fercore.faces.photo.MOST_PIXELS", 10_000)
    with pytest.raises(PhotoError, match="me.png has more than"):
        received(saved(COLOUR), "me.png")


def test_files_that_are_none_are_refused(tmp_path):
    for place in (tmp_path, tmp_path / "absent.jpg"):
        with pytest.raises(PhotoError, match="is not a file"):
            photograph.read(place)
    heavy = tmp_path / "heavy.png"
    with open(heavy, "wb") as file:
        file.truncate(photograph.MOST_BYTES + 1)
    with pytest.raises(PhotoError, match="larger than 40 MB"):
        photograph.read(heavy)


def test_what_is_done_to_a_photograph_is_said():
    plain = received(saved(COLOUR), "a")
    assert plain.notes == () and (plain.image == COLOUR).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned = received(saved(COLOUR, exif=exif), "a")
    assert turned.notes == ("turned upright, as its EXIF says",)
    assert (turned.image == np.rot90(COLOUR, -1)).all()
    gray = received(saved(GRADIENT), "a")
    assert "gray" in gray.notes[0] and (gray.image == GRADIENT[..., None]).all()
    large = received(saved(np.zeros((100, 3200, 3), np.uint8)), "a")
    assert large.notes == ("reduced from 3200 x 100 pixels",) and large.image.shape == (50, 1600, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_stand_on_white(mode):
    clear = np.dstack([COLOUR, np.where(np.arange(120) < 60, 0, 255)[None].repeat(90, 0).astype(np.uint8)])
    image = Image.fromarray(clear).convert(mode)
    shown = received(saved(image, **({"transparency": 0} if mode == "P" else {})), "a")
    assert "transparent parts stand on white" in shown.notes
    if mode != "P":
        assert (shown.image[:, :60] == 255).all() and (shown.image[:, 60:] < 255).any()


def test_the_largest_of_several_faces_is_taken_and_said():
    photo = Photograph("a", np.zeros((300, 600, 3), np.uint8))
    shown = with_face(photo, finds(50, 200, 100))
    assert shown.points == pytest.approx(200 * TEMPLATE + (50, 0)) and shown.notes == (
        "3 faces found; the largest is taken",
    )
    assert with_face(photo, finds(80)).notes == ()
    with pytest.raises(NoFaceError, match="no face was found in a; take one"):
        with_face(photo, finds())


def test_the_real_detector_takes_the_larger_of_two_drawn_faces():
    pytest.importorskip("mediapipe")
    large = pictures.drawn().image
    small = np.asarray(Image.fromarray(large).resize((256, 256)))
    canvas = np.full((560, 860, 3), 200, np.uint8)
    canvas[20:276, 20:276], canvas[30:542, 320:832] = small, large
    shown = with_face(Photograph("two", canvas))
    assert shown.notes == ("2 faces found; the largest is taken",)
    eyes = shown.points[:2] - (320, 30)
    assert np.abs(eyes / 512 - TEMPLATE[:2]).max() < 0.04  # where drawn faces have their eyes


@pytest.fixture
def runs(occluded_study):
    return [*occluded_study.runs("rec")[:1], *occluded_study.runs("ResNet")[:1]]


def test_a_model_sees_the_face_at_its_size_wherever_it_is_in_the_photograph(runs):
    face = np.asarray(Image.fromarray(COLOUR).resize((200, 200)))
    framed = Photograph("a", face)  # a whole image that is a face
    config = runs[0].spec.config
    whole = photo_scores.crop(framed, config)
    assert whole.shape == (config.stored_size, config.stored_size, 3)
    canvas = np.zeros((400, 500, 3), np.uint8)
    canvas[60:260, 130:330] = face
    found = photo_scores.crop(Photograph("a", canvas, points=200 * TEMPLATE + (130, 60)), config)
    inside = (slice(2, -2), slice(2, -2))
    assert np.abs(found[inside].astype(int) - whole[inside]).mean() < 3
    gray = photo_scores.crop(framed, replace_channels(config))
    assert gray.shape == (config.stored_size, config.stored_size)


def replace_channels(config):
    other = replace(config)
    object.__setattr__(other, "channels", 1)
    return other


def test_every_model_scores_its_classes_and_shows_what_it_makes(runs):
    said = photo_scores.opinions(Photograph("a", pictures.drawn().image), runs)
    assert [list(one.views) for one in said] == [["sees", "reconstruction"], ["sees"]]
    for one, run in zip(said, runs, strict=True):
        assert one.scores.sum() == pytest.approx(1, abs=1e-5) and len(one.scores) == len(run.about["classes"])
        assert one.views["sees"].shape == (32, 32, 3) and run.stamp in one.stamp
    again = Opened.of(runs[0]).method.predict(photo_scores.Batch(photo_scores.maps(
        (255 * said[0].views["sees"][None]).round().astype(np.uint8), 3)))  # fmt: skip
    assert said[0].scores == pytest.approx(again[0].detach().numpy(), abs=1e-5)


def test_a_page_says_what_it_did_and_warns(runs):
    told, figure = photo_page.tried("drawn", runs, finds(512))
    assert "its face is found" in told.data and "`make reproduce PAPER=gcnet`" in told.data
    stamp = figure.get_supxlabel().replace("\n", " ")
    assert photo_scores.WARNING in stamp and "no real person, and of no twin" in stamp


def test_a_drawing_without_detection_is_taken_whole_and_that_is_said(runs):
    told, _ = photo_page.tried("drawn", runs, finds())
    assert "no detection, the whole drawing is taken" in told.data


def test_without_models_the_photograph_is_shown_and_the_commands(monkeypatch):
    told, figure = photo_page.tried("drawn", [], finds(512))
    assert all(f"PAPER={paper}" in told.data for paper in parameters.papers()) and len(figure.axes) == 1


def test_a_photograph_that_cannot_be_is_one_sentence(tmp_path, runs):
    file = tmp_path / "text.jpg"
    file.write_text("no photograph")
    (told,) = photo_page.tried(str(file), runs, finds(512))
    assert "not a photograph" in told.data
    Image.fromarray(COLOUR).save(file)
    (told,) = photo_page.tried(str(file), runs, finds())
    assert "no face was found in text.jpg" in told.data


def test_an_upload_is_tried_and_a_bad_one_told(runs):
    trial = photo_page.Trial(runs, finds(90))
    assert isinstance(trial, ipywidgets.VBox) and photo_scores.WARNING in trial.said.value

    def upload(content):
        about = {"name": "<me>.png", "type": "image/png", "size": len(content), "last_modified": datetime.now(UTC)}
        trial.upload.set_trait("value", (about | {"content": memoryview(content)},))

    upload(saved(GRADIENT))
    assert bytes(trial.seen.value).startswith(b"\x89PNG") and trial.seen.layout.display is None
    assert "&lt;me&gt;.png: gray" in trial.said.value and photo_scores.WARNING in trial.said.value
    upload(b"no photograph")
    assert "not a photograph" in trial.said.value and trial.seen.layout.display == "none"
    trial.detect = finds()
    trial.path.value = "drawn"
    assert "no face was found in a drawn smile" in trial.said.value
    trial.path.value = "nowhere.jpg"
    assert "nowhere.jpg is not a file" in trial.said.value


def test_the_london_set_is_shown_with_its_credit_or_asked_for(tmp_path, monkeypatch):
    set_places(monkeypatch, tmp_path)
    monkeypatch.setattr("fercore.paths.ROOT", tmp_path / "project")
    with pytest.raises(PhotoError, match=r"python data_prep/london.py --source FOLDER"):
        pictures.opened("london")
    place = tmp_path / "shared" / "data" / "london"
    place.mkdir(parents=True)
    for name in ("002_08.jpg", "001_03.jpg", "001_08.jpg"):
        Image.fromarray(COLOUR).save(place / name)
    shown = pictures.opened("london")
    assert shown.name == "001_08.jpg" and "DeBruine & Jones (2017)" in shown.credit and "CC BY 4.0" in shown.credit


def test_a_prepared_london_set_will_do(tmp_path, monkeypatch):
    from factories import small_faces

    set_places(monkeypatch, tmp_path)
    monkeypatch.setattr("fercore.paths.ROOT", tmp_path / "project")
    faces = replace(small_faces(2, ("happiness",), 2, size=60), name="london", credit="by somebody")
    faces.save(tmp_path / "data" / "prepared" / "london")
    shown = pictures.opened("london")
    assert shown.image.shape == (60, 60, 3) and shown.credit == "by somebody"
    assert (shown.image[..., 0] == faces.images[1]).all()


def test_models_are_the_papers_own_rows_on_drawn_faces(tmp_path, monkeypatch):
    from test_explore_store import placed

    from fercore.runs import RunSpec

    set_places(monkeypatch, tmp_path)
    for place in (("ckplus", "ckplus7", 0), ("ckplus", "ckplus7", 1), ("mmi", "mmi6", 1), ("oulu", "oulu6", 0)):
        placed(RunSpec("gcnet", "S1R1", *place, "smoke"))
    placed(RunSpec("gcnet", "CNN", "ckplus", "ckplus7", 0, "smoke"))
    placed(RunSpec("occluded", "Ours", "london", "own", 0, "smoke", "prepared"))
    held = store.finished()
    assert [(run.spec.dataset, run.spec.fold) for run in photo_scores.models(held, "smoke")] == [("ckplus", 0)]
    every = [(run.spec.dataset, run.spec.fold) for run in photo_scores.models(held, "smoke", every=True)]
    assert every == [("ckplus", 0), ("mmi", 1), ("oulu", 0)] and photo_scores.models(held, "twin") == []


def test_a_photograph_may_be_a_path_and_nothing_else_may(tmp_path):
    defaults = {"photo": "drawn", "tier": "twin", "note": "a"}
    file = tmp_path / "me at sea.jpg"
    file.touch()
    for photo in ("london", str(file)):
        parameters.check({"photo": photo}, defaults, "none")
    with pytest.raises(parameters.ParameterError, match="is no file; valid: drawn, london or the path"):
        parameters.check({"photo": str(tmp_path)}, defaults, "none")
    with pytest.raises(parameters.ParameterError, match="not a name"):
        parameters.check({"note": str(file)}, defaults, "none")


def test_a_paper_is_checked_before_its_rows():
    defaults = {"paper": "gcnet", "variant": "S1R1"}
    for paper in ("none", "os"):
        with pytest.raises(parameters.ParameterError, match="valid: gcnet, idferm, occluded, unpaired"):
            parameters.check({"paper": paper}, defaults, "none")
        with pytest.raises(parameters.ParameterError, match="valid: gcnet, idferm, occluded, unpaired"):
            parameters.check({"paper": paper}, {"paper": "gcnet"}, "none")  # claims of a paper, without a row
    with pytest.raises(parameters.ParameterError, match="variant 'S1R1' is unknown; valid: softmax"):
        parameters.check({"paper": "idferm"}, defaults, "none")
