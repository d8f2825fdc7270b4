"""A photograph tried by every model: as a page shows it, and as menus for a reader's own."""

import html

import ipywidgets as widgets
from IPython.display import Markdown

from fercore import figures, parameters
from fercore.explore import pictures
from fercore.explore.photo_scores import WARNING, opinions
from fercore.explore.photograph import Meshes, Photograph, received, with_face
from fercore.explore.showcase import Content
from fercore.faces.alignment import AlignmentError
from fercore.faces.landmarks import DetectorMissingError, NoFaceError
from fercore.faces.photo import PhotoError
from fercore.published import NAMES
from fercore.runs import Run, RunError
from fercore.tables.page import joined

REFUSED = (PhotoError, NoFaceError, AlignmentError, DetectorMissingError, RunError)  # each says what to do


def tried(photo: str, runs: list[Run], detect: Meshes | None = None) -> list[Content]:
    """``photo`` (drawn, london or a path) with what every model says, or one sentence that says why not."""
    try:
        shown = pictures.opened(photo)
        return looked_at(_found_or_drawn(shown, photo == pictures.DRAWN, detect), runs)
    except REFUSED as problem:
        return [Markdown(str(problem))]


def looked_at(photo: Photograph, runs: list[Run]) -> list[Content]:
    """A photograph whose face is found, and what every model says."""
    said = opinions(photo, runs)
    stamps = {one.name.replace("\n", " "): one.stamp for one in said}
    stamp = " · ".join(filter(None, [WARNING * bool(said), f"photograph: {photo.credit}" * bool(photo.credit)]))
    stamp = " ‖ ".join(filter(None, [stamp, joined(stamps) if stamps else ""]))
    figure = figures.photographed(photo.image, photo.points, photo.name, said, stamp)
    sentences = [_told(photo), *dict.fromkeys(one.note for one in said), _missing(runs)]
    return [Markdown(" ".join(filter(None, sentences))), figure]


def _found_or_drawn(photo: Photograph, drawn: bool, detect: Meshes | None) -> Photograph:
    try:
        return with_face(photo, detect)
    except (NoFaceError, DetectorMissingError) as problem:
        if not drawn:
            raise
        return photo.noting(f"no detection, the whole drawing is taken as a twin's is ({problem})")


def _told(photo: Photograph) -> str:
    found = ["its face is found, as the crosses show"] if photo.points is not None else []
    return f"{photo.name}: {'; '.join([*photo.notes, *found])}."


def _missing(runs: list[Run]) -> str:
    lacking = sorted(set(parameters.papers()) - {run.spec.paper for run in runs})
    commands = ", ".join(f"`make reproduce PAPER={paper}`" for paper in lacking)
    names = ", ".join(NAMES[paper] for paper in lacking)
    return f"No finished model of {names} is here; they are trained by {commands}." if lacking else ""


class Trial(widgets.VBox):
    """Upload a photograph or name its path, and see what every model says of it; nothing leaves this machine."""

    def __init__(self, runs: list[Run], detect: Meshes | None = None):
        self.runs, self.detect = runs, detect
        self.upload = widgets.FileUpload(accept="image/*", multiple=False, description="photograph")
        self.path = widgets.Text(description="or its path", continuous_update=False, layout={"width": "520px"})
        self.said = widgets.HTML(f"<p><b>{html.escape(WARNING)}</b></p>")
        self.seen = widgets.Image(format="png", layout={"display": "none"})
        self.upload.observe(self._uploaded, "value")
        self.path.observe(self._named, "value")
        super().__init__([widgets.HBox([self.upload, self.path]), self.said, self.seen])

    def _uploaded(self, _) -> None:
        if self.upload.value:
            file = self.upload.value[0]
            self._try(lambda: received(bytes(file["content"]), file["name"]))

    def _named(self, _) -> None:
        if self.path.value:
            self._try(lambda: pictures.opened(self.path.value))

    def _try(self, read) -> None:
        try:
            told, figure = looked_at(with_face(read(), self.detect), self.runs)
        except Exception as problem:  # in a callback it would be seen by nobody
            self.seen.layout.display = "none"
            self.said.value = f"<p>{html.escape(str(problem))}</p>"
            return
        self.seen.value, self.seen.layout.display = figures.png(figure), None
        self.said.value = f"<p><b>{html.escape(WARNING)}</b></p><p>{html.escape(told.data)}</p>"
