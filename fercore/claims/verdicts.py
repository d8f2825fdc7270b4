"""Every claim with its verdicts: in print, reachable, on the twin, on real data, on the London photographs."""

from collections.abc import Mapping
from dataclasses import dataclass

from fercore import provenance
from fercore.claims.columns import columns_of
from fercore.claims.in_print import Printed, in_print
from fercore.claims.in_runs import Evidence, Rerun
from fercore.claims.reading import Claim, claims
from fercore.forensics import reachable

TWIN, REAL, LONDON = "twin", "real data", "real faces (London)"  # layers of runs


@dataclass(frozen=True)
class Judged:
    """A claim and all that can be said of it."""

    claim: Claim
    print: Printed
    reachable: str  # how many of the printed accuracies behind it can be k of n
    runs: Mapping[str, Rerun]  # by layer


@dataclass(frozen=True)
class Verdicts:
    """All claims of some papers, judged, and what by."""

    claims: tuple[Judged, ...]
    tier: str
    stamp: str

    @property
    def layers(self) -> list[str]:
        """The kinds of runs that they were judged by."""
        return list(self.claims[0].runs)


def judge(paper: str | None = None, tier: str = "twin", source: str = "twin") -> Verdicts:
    """Judge every claim of a paper, or of all; with source "prepared" the twins are left out.

    Raises ClaimError where a claim names what does not exist; a comparison that must not be made is told in its cell.
    """
    real = Evidence(tier, "prepared")
    twin = {TWIN: Evidence(tier, "twin")} if source == "twin" else {}
    judged = tuple(
        Judged(
            claim, in_print(claim), reach(claim),
            {name: one.judged(claim) for name, one in twin.items()}
            | {REAL: real.judged(claim), LONDON: real.judged_elsewhere(claim)},
        )
        for claim in claims(paper)
    )  # fmt: skip
    return Verdicts(judged, tier, _stamp(tier, {**twin, "prepared": real}))


def reach(claim: Claim) -> str:
    """How many of the paper's own accuracies behind a claim can be k of n images, n as stated or inferred.

    Empty where it rests on no accuracy of the paper's own runs.
    """
    cells = dict.fromkeys(cell for pair in claim.pairs for cell in pair) if claim.kind in _COMPARING else ()
    own = {cell: columns_of(cell)[0] for cell in cells if cell.own and cell.metric == "accuracy" and columns_of(cell)}
    counted = {cell: reachable(cell.text, column.images) for cell, column in own.items() if column.images}
    if not counted:
        return "no n stated" if own else ""
    found = list(counted.values())
    told = f"{len(found) - found.count('no')} of {len(found)}"
    told += f", {found.count('truncated')} cut off" * ("truncated" in found)
    return told + ", n inferred" * any(own[cell].inferred for cell in counted)


_COMPARING = ("ordering", "difference", "ratio")


def _stamp(tier: str, evidence: Mapping[str, Evidence]) -> str:
    """Tier, and by source how many of the runs that the claims ask for exist, and how they were made."""
    parts = [f"tier {tier}"]
    for name, one in evidence.items():
        studies = {side.study: side.runs for side in one.sides.values()}  # several tests may share one
        runs, asked = [run for found in studies.values() for run in found], sum(len(study.specs) for study in studies)
        made = "; ".join(provenance.origin(runs, len(runs)))
        parts.append(f"{name}: {len(runs)} of {asked} runs" + f" ({made})" * bool(runs))
    return " · ".join([*parts, "seed 0", f"claims of commit {provenance.commit()}"])
