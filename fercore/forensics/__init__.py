"""What printed digits tell of how they were counted: functions on printed numbers, without any run."""

from fercore.forensics.reach import distinguishable, nearest, reachable, runs_needed, share

__all__ = ["distinguishable", "nearest", "reachable", "runs_needed", "share"]
