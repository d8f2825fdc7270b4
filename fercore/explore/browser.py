"""Menus over the run store: paper, data, row and fold, and the test images of the chosen run, mistakes first."""

import html
from collections.abc import Callable

import ipywidgets as widgets

from fercore import figures
from fercore.explore import showcase
from fercore.explore.store import HOME, Store, data_of, fold_of, row_of
from fercore.explore.views import ORDERS, Opened
from fercore.runs import Run

AT_ONCE = 8  # images
EVERY_CLASS = "every class"
MENUS: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("paper", lambda run: run.spec.paper),
    ("data", data_of),
    ("row", row_of),
    ("fold", fold_of),
)


class Browser(widgets.VBox):
    """Every menu offers what is finished under the choices above it; where nothing is, one sentence says so."""

    def __init__(self, store: Store):
        self.store, self.opened, self._busy = store, None, False
        self.menus = [widgets.Dropdown(description=name, layout={"width": "420px"}) for name, _ in MENUS]
        self.order = widgets.Dropdown(options=ORDERS, description="images")
        self.label = widgets.Dropdown(options=[EVERY_CLASS], description="true class")
        self.page = widgets.BoundedIntText(value=1, min=1, max=1, description="page")
        self.said = widgets.HTML()
        self.strip, self.confusion = widgets.Image(format="png"), widgets.Image(format="png")
        for n, menu in enumerate(self.menus):
            menu.observe(lambda _, n=n: self._unless_busy(self._narrow, n + 1), "value")
        for control in (self.order, self.label):
            control.observe(lambda _: self._unless_busy(self._turn_to_first), "value")
        self.page.observe(lambda _: self._unless_busy(self._show), "value")
        choices = widgets.HBox([widgets.VBox(self.menus), widgets.VBox([self.order, self.label, self.page])])
        super().__init__([choices, self.said, self.strip, self.confusion])
        self._unless_busy(self._narrow, 0)

    @property
    def fitting(self) -> list[Run]:
        """The runs that fit all menus."""
        return self._under(len(MENUS))

    def _under(self, menus: int) -> list[Run]:
        """The runs that fit the first ``menus`` menus, a paper's own row on its first database before others."""
        chosen = list(zip(MENUS, self.menus, strict=True))[:menus]
        found = [run for run in self.store.of() if all(name(run) == menu.value for (_, name), menu in chosen)]
        return sorted(found, key=lambda run: (run.spec.paper, *_from_home(run)))

    def _unless_busy(self, act: Callable, *arguments: int) -> None:
        if not self._busy:  # what is set in here calls back
            self._busy = True
            try:
                act(*arguments)
            finally:
                self._busy = False

    def _narrow(self, first: int) -> None:
        """Fill the menus from number ``first`` on; a choice that is still there stays."""
        for n in range(first, len(MENUS)):
            menu, former = self.menus[n], self.menus[n].value
            menu.options = list(dict.fromkeys(map(MENUS[n][1], self._under(n))))
            if menu.options:
                menu.value = former if former in menu.options else menu.options[0]
        self._open()

    def _open(self) -> None:
        self.opened = None
        if not self.fitting:
            return self._say(
                "No run is finished yet. <code>make reproduce</code> makes those of GCNet, "
                "<code>make reproduce PAPER=idferm</code> (or occluded, unpaired) those of another paper."
            )
        try:
            self.opened = Opened.of(self.fitting[0])
            self.label.options = [EVERY_CLASS, *self.opened.classes]
            _put(self.confusion, figures.png(showcase.confusion(self.opened)))
        except Exception as problem:  # a store may hold anything, and in a callback an exception is seen by nobody
            self.opened = None
            return self._say(self._unreadable(problem))
        self._turn_to_first()

    def _turn_to_first(self) -> None:
        self.page.value = 1
        self._show()

    def _show(self) -> None:
        """Draw the page of images that is asked for."""
        if self.opened is None:
            return
        try:
            table = self.opened.ordered(self.order.value)
            if self.label.value != EVERY_CLASS:
                table = table[table["label"] == self.label.value]
            self.page.max = max(1, -(-len(table) // AT_ONCE))
            start = AT_ONCE * (self.page.value - 1)
            part = table[start : start + AT_ONCE]
            _put(self.strip, self._drawn(part) if len(part) else b"")
        except Exception as problem:  # as in _open
            return self._say(self._unreadable(problem))
        counted = f"Images {start + 1} to {start + len(part)} of {len(table)}." if len(part) else "No such image."
        told = html.escape(showcase.told(self.opened)).replace("**", "")
        self.said.value = f"<p>{told}</p><p>{counted}</p>"

    def _drawn(self, part) -> bytes:
        views = self.opened.views(part["row"].to_numpy())
        return figures.png(figures.predicted(part, views, self.opened.classes, self.opened.stamp))

    def _say(self, text: str) -> None:
        self.said.value = f"<p>{text}</p>"
        _put(self.strip, b"")
        _put(self.confusion, b"")

    def _unreadable(self, problem: Exception) -> str:
        folder = html.escape(self.fitting[0].spec.folder.name)
        return f"The run <code>{folder}</code> cannot be shown: {html.escape(str(problem))}"


def _put(place: widgets.Image, png: bytes) -> None:
    place.value, place.layout.display = png, None if png else "none"  # an empty image would show as a broken one


def _from_home(run: Run) -> tuple:
    dataset, protocol, variant = HOME[run.spec.paper]
    spec = run.spec
    away = (spec.tier != "twin", spec.source != "twin", spec.dataset != dataset, spec.protocol != protocol)
    return (*away, spec.dataset, spec.variant != variant, len(spec.changes))
