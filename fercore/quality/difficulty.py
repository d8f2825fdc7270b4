"""Neither too hard nor too easy: accuracies on people not seen, at three strengths of everything that disturbs."""

from statistics import mean

from fercore.quality import probe
from fercore.quality.extent import Extent
from fercore.quality.report import Check
from fercore.quality.samples import LABELS, people
from fercore.twins.renderer import render

BOUNDS = {0.5: (0.90, 0.98), 1.0: (0.80, 0.92), 2.0: (0.62, 0.80)}  # too easy is a fault as well


def checks(extent: Extent) -> list[Check]:
    """Mean accuracy of the probe on people not seen at each nuisance, and its lead over a linear classifier."""
    found = []
    for level in extent.levels:
        faces, table = people(extent.people, LABELS, level)
        ours, linear = probe.accuracies(render(faces, probe.stored()), table, extent.folds, extent.epochs)
        note = f"{extent.folds} folds, {extent.people} people x 7 expressions; {min(ours):.2f} to {max(ours):.2f}"
        found.append(Check(f"network, nuisance x {level:g}", mean(ours), *BOUNDS[level], note))
        lead = mean(ours) - mean(linear)
        what = f"lead over a linear classifier, nuisance x {level:g}"
        found.append(Check(what, lead, 0.05, None, f"linear SVM on pixels: {mean(linear):.3f}"))
    return found
