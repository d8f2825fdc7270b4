"""How much each tier measures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """Numbers of people, folds and epochs."""

    shown: int  # people on the contact sheet
    detected: int  # people whose seven expressions the detectors see
    controlled: int  # people whose units are turned up one by one
    people: int  # of the set whose difficulty is measured
    levels: tuple[float, ...]  # of the nuisance there
    folds: int
    epochs: int
    smiling: int  # people that teach what a smile is
    passes: int  # of a network over them
    networks: int  # that learn it, and say together what a photograph shows
    timed: int  # people drawn to measure speed


EXTENT = {
    "smoke": Extent(2, 1, 2, 6, (1.0,), 2, 1, 3, 1, 1, 1),
    "twin": Extent(2, 100, 8, 118, (0.5, 1.0, 2.0), 5, 30, 6000, 4, 3, 20),
    "paper": Extent(5, 200, 16, 118, (0.5, 1.0, 2.0), 5, 30, 12000, 6, 3, 40),
}
