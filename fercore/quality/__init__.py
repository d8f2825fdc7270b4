"""How good the drawn faces are: every claim about them is measured here, against a threshold set beforehand."""

from fercore.quality.extent import EXTENT
from fercore.quality.report import Check, table

__all__ = ["EXTENT", "Check", "table"]
