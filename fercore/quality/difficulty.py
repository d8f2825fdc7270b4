"""Neither too hard nor too easy: accuracies on people not seen, at three strengths of everything that disturbs."""

from statistics import mean

from fercore.quality import probe
from fercore.quality.extent import Extent
from fercore.quality.report import Check
from fercore.quality.samples import cast, recipe

BOUNDS = {0.5: (0.90, 0.98), 1.0: (0.80, 0.92), 2.0: (0.62, 0.80)}  # too easy is a fault as well


def checks(extent: Extent) -> list[Check]:
    """Mean accuracy of the probe on people not seen at each nuisance, and its lead over a linear classifier.

    On the CK+ twin's own cast and class counts, the last three frames of each sequence.
    """
    found = []
    for level in extent.levels:
        images, table = cast(extent.people, probe.stored(), recipe(level, frames=3))
        ours, linear = probe.accuracies(images, table, extent.folds, extent.epochs)
        note = (
            f"{len(images)} images of {extent.people} people, {extent.folds} folds: {min(ours):.2f} to {max(ours):.2f}"
        )
        found.append(Check(f"network, nuisance x {level:g}", mean(ours), *BOUNDS[level], note))
        lead = mean(ours) - mean(linear)
        what = f"lead over a linear classifier, nuisance x {level:g}"
        found.append(Check(what, lead, 0.05, None, f"linear SVM on pixels: {mean(linear):.3f}"))
    return found
