"""Reading one photograph from disk: bounded in size, upright, RGB."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

MOST_PIXELS = 50_000_000  # a larger header is a mistake or a decompression bomb
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "PPM")  # whatever else Pillow could open stays closed


class PhotoError(ValueError):
    """A photograph is missing, damaged or too large; names the file and the way out."""


def read_photo(file: Path) -> np.ndarray:
    """The photograph as H x W x 3 uint8, turned upright; raises PhotoError naming ``file``."""
    return decoded(file, str(file))


def decoded(photo: Path | bytes, file: str) -> np.ndarray:
    """The photograph in a file or in memory, which messages call ``file``; as ``read_photo``."""
    try:
        opened = io.BytesIO(photo) if isinstance(photo, bytes) else photo
        with warnings.catch_warnings(action="ignore"), Image.open(opened, formats=FORMATS) as photo:  # the header only
            if photo.width * photo.height > MOST_PIXELS:
                raise PhotoError(_too_large(file))
            return np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))
    except PhotoError:
        raise
    except FileNotFoundError as error:
        raise PhotoError(f"{file} is missing; copy or unpack it again") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(_too_large(file)) from error
    except (OSError, ValueError, SyntaxError) as error:  # all three are raised by Pillow's decoders
        raise PhotoError(f"{file} is damaged or not a photograph ({error}); copy or unpack it again") from error


def _too_large(file: str) -> str:
    return f"{file} has more than {MOST_PIXELS // 1_000_000} megapixels; reduce it or remove it from the folder"
