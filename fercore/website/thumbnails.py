"""Small pictures for the index: the first figure of every page."""

import base64
import binascii
import io
import re
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, UnidentifiedImageError

WIDTH, HEIGHT = 360, 220  # pixels, at most
MOST = 60_000_000  # pixels of a figure that is opened at all
INSIDE = re.compile(r'src=["\']data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)["\']')


def write(notebook: Mapping, file: Path) -> tuple[int, int] | None:
    """Write the first figure of ``notebook``, made small; its width and height, or None where it has no figure."""
    if (drawn := first_figure(notebook)) is None:
        return None
    drawn.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn.save(file, "webp", quality=80)
    return drawn.size


def first_figure(notebook: Mapping) -> Image.Image | None:
    """The first picture among the outputs, in colour on white."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            encoded = data.get("image/png") or data.get("image/jpeg")
            if not encoded and (inside := INSIDE.search("".join(data.get("text/html", "")))):
                encoded = inside.group(1)
            if encoded:
                return _opened("".join(encoded))
    return None


def _opened(encoded: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(base64.b64decode(encoded)), formats=("png", "jpeg"))
        if image.width * image.height > MOST:
            raise ValueError(f"a figure of {image.width} x {image.height} pixels is too large for a page")
        layered = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, binascii.Error) as problem:
        raise ValueError(f"a figure cannot be read: {problem}") from problem
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
