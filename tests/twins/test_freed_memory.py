"""Freed memory stays with the process where the C library can be asked, and nothing happens elsewhere."""

import ctypes
import sys

import pytest

from fercore.twins import memory


@pytest.fixture(autouse=True)
def asked_anew():
    memory.keep_freed.cache_clear()
    yield
    memory.keep_freed.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt belongs to the GNU C library")
def test_the_c_library_takes_both_limits(monkeypatch):
    real, answers = ctypes.CDLL(None).mallopt, []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: type("C", (), {"mallopt": lambda *a: answers.append(real(*a))}))
    memory.keep_freed()
    memory.keep_freed()
    assert answers == [1, 1]


@pytest.mark.parametrize("library", [lambda name: object(), lambda name: ctypes.cdll.LoadLibrary("none-such.so")])
def test_other_c_libraries_are_left_alone(monkeypatch, library):
    monkeypatch.setattr(ctypes, "CDLL", library)
    memory.keep_freed()
