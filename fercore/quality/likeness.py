"""How pixels are spread over people and expressions; aligned real sets are the yardstick."""

import numpy as np
import pandas as pd

from fercore.quality.report import Check


def standardised(images: np.ndarray) -> np.ndarray:
    """Rows of pixels, each image with mean 0 and deviation 1."""
    rows = np.asarray(images, float).reshape(len(images), -1)
    return (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)


def neighbours(images: np.ndarray, table: pd.DataFrame) -> tuple[float, float]:
    """How often the nearest image outside one's own take shows the same person, and the same expression."""
    rows = standardised(images)
    square = (rows**2).sum(1)
    distance = square[:, None] + square[None] - 2 * rows @ rows.T
    subject, label = table["subject"].to_numpy(), table["label"].to_numpy()
    distance[(subject[:, None] == subject) & (label[:, None] == label)] = np.inf
    nearest = distance.argmin(1)
    return float((subject[nearest] == subject).mean()), float((label[nearest] == label).mean())


def first_component(images: np.ndarray) -> float:
    """Share of all variance that one direction of pixel space holds."""
    rows = standardised(images)
    spread = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
    return float(spread[0] / spread.sum())


def checks(images: np.ndarray, table: pd.DataFrame) -> list[Check]:
    """Identity dominance, first component and contrast of a set of apex images."""
    person, expression = neighbours(images, table)
    note = f"{len(images)} images of {table['subject'].nunique()} people"
    return [
        Check("nearest image outside the take: same person", person, 0.60, 0.80, note),
        Check("nearest image outside the take: same expression", expression, 0.15, None, note),
        Check("share of the first principal component", first_component(images), None, 0.22, note),
        Check("contrast: mean deviation within an image", float((images / 255).std((1, 2)).mean()), 0.20, 0.26, note),
    ]
