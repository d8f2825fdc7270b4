"""What printed digits tell of how they were counted: pure functions on numbers, nothing is trained or read from runs."""

from fercore.forensics.reach import distinguishable, nearest, reachable, runs_needed, share

__all__ = ["distinguishable", "nearest", "reachable", "runs_needed", "share"]
