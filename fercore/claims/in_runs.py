"""What our runs say of the papers' claims: every pair of rows that a claim names and that we run, held together."""

import importlib
from dataclasses import dataclass, field, replace

from fercore.ablation import Ablation
from fercore.claims.columns import PrintedColumn, columns_of, elsewhere
from fercore.claims.comparisons import PEOPLE, Gap, Side, VerdictError, gap, word
from fercore.claims.reading import MOST, NO_PAGE, OF_TABLES, Claim
from fercore.faces.faceset import FaceSetError
from fercore.faces.protocols import protocol_of
from fercore.published import Cell
from fercore.runs import RunError
from fercore.trials import Trial

NOT_RUN, ON_PAGE, NO_TEST, REFUSED = "not run", "see its page", "does not apply", "refused"
NOWHERE = "measured on no page"


@dataclass(frozen=True)
class Rerun:
    """The verdict of our runs, and what it was found from."""

    verdict: str
    found: str = ""
    gaps: tuple[Gap, ...] = ()


Sides = tuple[Side | None, Side | None, Cell]  # left, right, and a cell of the column where they stand


@dataclass
class Evidence:
    """All finished runs of one tier and source; what was read or compared once is kept."""

    tier: str
    source: str
    sides: dict = field(default_factory=dict)
    gaps: dict = field(default_factory=dict)

    def judged(self, claim: Claim) -> Rerun:
        """The verdict of the runs that stand for the claim's printed columns."""
        if claim.kind not in OF_TABLES:
            return _shown(claim) if claim.kind == "statement" else Rerun(NO_TEST)
        pairs = [pair for pair in claim.pairs if columns_of(pair[0]) and columns_of(pair[1])]
        if not pairs:
            return _shown(claim)
        if any(left.dataset != right.dataset for left, right in pairs):
            return Rerun(NO_TEST, "other images on either side: nothing to pair")
        sides = [(self._side(left), self._side(right), left) for left, right in pairs]
        if all(left and right and left.study == right.study for left, right, _ in sides):
            return Rerun(NO_TEST, "one and the same runs on either side")
        return self._of(claim, sides)

    def judged_elsewhere(self, claim: Claim) -> Rerun:
        """The same on photographs that no table of the paper has: of the claim's rows, whatever their column."""
        tests = [] if claim.kind not in ("ordering", "difference") or claim.columns_needed else elsewhere(claim.paper)
        if not tests or not all(columns_of(cell) for pair in claim.pairs for cell in pair):
            return Rerun(NO_TEST)
        named = dict.fromkeys((left.row, right.row) for left, right in claim.pairs if left.row != right.row)
        cell = claim.pairs[0][0]
        sides = [
            (self._in(test, left), self._in(test, right), replace(cell, dataset=test.printed))
            for test in tests
            for left, right in named
        ]
        expected = MOST if claim.expected == MOST else ""  # a printed amount is of other images
        return self._of(replace(claim, expected=expected), sides) if sides else Rerun(NO_TEST)

    def _of(self, claim: Claim, sides: list[Sides]) -> Rerun:
        ready = [(left, right, cell) for left, right, cell in sides if left and right and left.runs and right.runs]
        count = f"{len(ready)} of {len(sides)} run"
        if not ready:
            ours = any(left and right for left, right, _ in sides)
            return Rerun(NOT_RUN, count if ours else f"{count}: rows of other systems")
        try:
            gaps = [self._gap(claim, *one) for one in ready]
        except (VerdictError, RunError, FaceSetError) as error:
            return Rerun(REFUSED, str(error))
        return Rerun(_verdict(claim, gaps, sides), "; ".join([count, *_remarks(claim, gaps)]), tuple(gaps))

    def _gap(self, claim: Claim, left: Side, right: Side, cell: Cell) -> Gap:
        """In the direction that the claim states."""
        if claim.relation == "<":
            left, right = right, left
        name = cell.dataset if cell.metric == "accuracy" else f"{cell.dataset}, {cell.metric}"
        key = (cell.paper, name, left.name, right.name)
        if key not in self.gaps:
            self.gaps[key] = gap(name, cell.metric, left, right)
        return self.gaps[key]

    def _side(self, cell: Cell) -> Side | None:
        found = [self._in(column, cell.row) for column in columns_of(cell)]
        return next((side for side in found if side), None)

    def _in(self, column: PrintedColumn, row: str) -> Side | None:
        """A printed row as a test of ours; None for systems that are not run."""
        printed = importlib.import_module(f"fercore.papers.{column.paper}").PRINTED
        rows = column.rows or {name: variant for variant, name in printed.items()}
        if row in rows and (column, row) not in self.sides:
            self.sides[column, row] = self._new(column, row, rows[row])
        return self.sides.get((column, row))

    def _new(self, column: PrintedColumn, row: str, variant: str) -> Side:
        protocol = protocol_of(column.dataset, column.protocol, column.paper)
        folds = (0,) if protocol.official else tuple(range(protocol.folds))
        study = Ablation(
            column.paper, column.dataset, (variant,), column.protocol, folds, self.tier, self.source,
            changes=column.changes,
        )  # fmt: skip
        trial = Trial(column.trial, column.trial_protocol, column.occlusions) if column.trial else None
        return Side(row, variant, study, trial)


def _shown(claim: Claim) -> Rerun:
    """Of a claim that no comparison of rows can judge: the page that measures it, or why none does."""
    if claim.page.startswith(NO_PAGE):
        return Rerun(NOT_RUN, f"{NOWHERE}: {claim.page.removeprefix(NO_PAGE)}")
    return Rerun(ON_PAGE if claim.page else NO_TEST)


def _verdict(claim: Claim, gaps: list[Gap], sides: list[Sides]) -> str:
    if claim.expected == MOST:  # of all pairs, also of those that were not run
        return word([[one] for one in gaps], len(sides) // 2 + 1, len(sides) - len(gaps))
    if claim.columns_needed is None:
        return word([[one] for one in gaps], len(gaps))
    ran = dict.fromkeys(one.column for one in gaps)
    missing = len({(cell.dataset, cell.metric) for _, _, cell in sides}) - len(ran)
    return word([[one for one in gaps if one.column == name] for name in ran], claim.columns_needed, missing)


def _remarks(claim: Claim, gaps: list[Gap]) -> list[str]:
    remarks = [f"{sum(one.above for one in gaps)} above zero"]
    if few := [one.people for one in gaps if one.people < PEOPLE]:
        remarks.append(f"{len(few)} on too few people ({', '.join(map(str, sorted(set(few))))})")
    if claim.kind == "difference" and claim.relation == "=" and claim.expected:
        one, amount = gaps[0], float(claim.expected)
        inside = 100 * one.interval.low <= amount <= 100 * one.interval.high
        remarks.append(f"ours {one.interval}, printed {amount:+g} {'inside' if inside else 'outside'}")
    return remarks
