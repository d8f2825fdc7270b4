"""A panel of sliders: one face, and every number it is drawn from."""

import io

import ipywidgets as widgets
import numpy as np
from PIL import Image

from fercore.quality.pictures import still
from fercore.twins.facs import AU_NAMES
from fercore.twins.occluders import OCCLUSIONS, occlude
from fercore.twins.renderer import MODALITIES, render

SCENE = {  # what: (lowest, highest, start)
    "yaw": (-0.6, 0.6, 0.0),
    "pitch": (-0.35, 0.35, 0.0),
    "roll": (-0.3, 0.3, 0.0),
    "light_x": (-1.5, 1.5, 0.2),
    "ambient": (0.15, 0.7, 0.4),
    "blur": (0.2, 1.5, 0.45),
}


def picture(
    person: int, units: dict[int, float], scene: dict[str, float], modality: str, cover: str, size: int
) -> bytes:
    """The face as a PNG; raises ValueError for impossible numbers."""
    image = render([still(person, units, **scene)], size, modality=modality)
    if cover != "nothing":
        image, _ = occlude(image, cover, [person])
    drawn = io.BytesIO()
    Image.fromarray(np.asarray(image[0])).resize((2 * size, 2 * size), Image.Resampling.BICUBIC).save(drawn, "png")
    return drawn.getvalue()


def panel(size: int = 160) -> widgets.Widget:
    """Sliders beside the face that they move."""
    units = {number: _slider(f"AU{number} {name}", 0, 1, 0.0) for number, name in AU_NAMES.items()}
    scene = {name: _slider(name, *span) for name, span in SCENE.items()}
    person = widgets.BoundedIntText(value=0, min=0, max=9999, description="person")
    modality = widgets.Dropdown(options=MODALITIES, value="rgb", description="seen as")
    cover = widgets.Dropdown(options=("nothing", *OCCLUSIONS), description="covered by")
    face = widgets.Image(format="png", layout=widgets.Layout(width=f"{2 * size}px"))

    def draw(_=None) -> None:
        active = {number: slider.value for number, slider in units.items() if slider.value}
        placed = {name: slider.value for name, slider in scene.items()}
        face.value = picture(person.value, active, placed, modality.value, cover.value, size)

    for control in (*units.values(), *scene.values(), person, modality, cover):
        control.observe(draw, "value")
    draw()
    choices = widgets.VBox([person, modality, cover, *scene.values()])
    return widgets.HBox([face, choices, widgets.VBox(list(units.values()))])


def _slider(name: str, lowest: float, highest: float, start: float) -> widgets.FloatSlider:
    wide = widgets.Layout(width="340px")
    return widgets.FloatSlider(
        start, min=lowest, max=highest, step=0.05, description=name, layout=wide, style={"description_width": "170px"}
    )
