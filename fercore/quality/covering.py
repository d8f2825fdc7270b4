"""What covering a part of the face costs a network that has only seen whole faces."""

from fercore.quality.probe import HeldOut
from fercore.quality.report import Check
from fercore.twins.occluders import OCCLUSIONS, occlude

AT_LEAST = {"hands": 0.70, "drinks": 0.70}


def checks(held: HeldOut) -> list[Check]:
    """Accuracy under every occlusion; mouths tell more than eyes do."""
    note = f"{len(held.table)} images of people not seen; uncovered: {held.accuracy():.2f}"
    under = {kind: held.accuracy(occlude(held.images, kind, range(len(held.images)))[0]) for kind in OCCLUSIONS}
    found = [
        Check(f"accuracy, covered: {kind}", value, AT_LEAST.get(kind), None, note) for kind, value in under.items()
    ]
    lead = under["eyes"] - under["mouth"]
    return [*found, Check("the eyes' bar costs less than the mouth's, by", lead, 0.0, None, note)]
