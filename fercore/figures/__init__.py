"""Figures: each function returns a matplotlib Figure that says, at its foot, what it was made from."""

from fercore.figures.ambiguities import tornado
from fercore.figures.explored import photographed, predicted
from fercore.figures.faces import course, generation, mistakes
from fercore.figures.features import embedding, filters
from fercore.figures.losses import against_seconds, failing_losses
from fercore.figures.modalities import alignment
from fercore.figures.normalised import estimates, identity_distances, judge, normalised_faces
from fercore.figures.occlusions import occlusions
from fercore.figures.page import png, save
from fercore.figures.scores import (
    accuracy_along,
    accuracy_bars,
    confusion_by_protocol,
    confusion_matrices,
    confusion_matrix,
    learning_curves,
    small_expressions,
)

__all__ = [
    "accuracy_along",
    "accuracy_bars",
    "against_seconds",
    "alignment",
    "confusion_by_protocol",
    "confusion_matrices",
    "confusion_matrix",
    "course",
    "embedding",
    "failing_losses",
    "estimates",
    "filters",
    "generation",
    "identity_distances",
    "judge",
    "learning_curves",
    "mistakes",
    "normalised_faces",
    "occlusions",
    "photographed",
    "png",
    "predicted",
    "save",
    "small_expressions",
    "tornado",
]
