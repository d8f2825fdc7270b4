"""Synthetic faces: action units drawn on parametric people, and one twin of each licensed dataset."""

from fercore.twins.datasets import TWINS, twin

__all__ = ["TWINS", "twin"]
