"""Tables: each function returns a DataFrame; ``shown`` dresses it for a page, ``save`` keeps it."""

from fercore.tables.ambiguities import coverage, effects_of_choices, largest_effects, unstated, worded
from fercore.tables.columns import Column, beside_printed, gains_by_column, stamp_of
from fercore.tables.contents import (
    architecture,
    beside_printed_architecture,
    facts,
    fold_certificate,
    images_learned,
    shapes,
    terms,
)
from fercore.tables.grid import grid
from fercore.tables.page import joined, save, shown
from fercore.tables.scores import (
    accuracies,
    early_errors,
    gains,
    identification,
    own_accuracies,
    per_fold,
    printed_by_variant,
)
from fercore.tables.significance import TESTED, significance

__all__ = [
    "TESTED",
    "Column",
    "accuracies",
    "architecture",
    "beside_printed",
    "beside_printed_architecture",
    "coverage",
    "early_errors",
    "effects_of_choices",
    "facts",
    "fold_certificate",
    "gains",
    "gains_by_column",
    "grid",
    "identification",
    "images_learned",
    "joined",
    "largest_effects",
    "own_accuracies",
    "per_fold",
    "printed_by_variant",
    "save",
    "shapes",
    "shown",
    "significance",
    "stamp_of",
    "terms",
    "unstated",
    "worded",
]
