"""Keep freed memory at hand: drawing asks for the same few planes again and again."""

import ctypes
from functools import cache

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # mallopt's names for: map larger blocks apart; give back what lies free on top
LARGEST, KEPT = 1 << 25, 1 << 28  # bytes


@cache
def keep_freed() -> None:
    """Ask the GNU C library to keep freed blocks of up to 32 MB, and to give back only what is free beyond 256 MB.

    By default it returns each plane to the system and fetches it anew, a sixth of the time of drawing. Other C
    libraries go on as they do.
    """
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    adjust(MMAP_THRESHOLD, LARGEST)
    adjust(TRIM_THRESHOLD, KEPT)
