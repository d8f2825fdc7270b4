"""Tables of verdicts: the claims, what contradicts them, the comparisons behind them, and the runs behind those."""

from collections import Counter

import pandas as pd
from pandas.io.formats.style import Styler

from fercore.claims.comparisons import CONTRADICTED as REFUTED
from fercore.claims.comparisons import LEVEL, SUPPORTED, UNDECIDED, Gap
from fercore.claims.in_print import CONSISTENT, CONTRADICTED, UNTOLD
from fercore.claims.in_runs import NO_TEST, NOT_RUN, NOWHERE, ON_PAGE, REFUSED, Rerun
from fercore.claims.verdicts import Judged, Verdicts
from fercore.published import NAMES
from fercore.tables.columns import points
from fercore.tables.page import shown

IN_PRINT = (CONTRADICTED, CONSISTENT, UNTOLD)  # in the order of their interest
DECIDED = (SUPPORTED, REFUTED)
OF_RUNS = (*DECIDED, UNDECIDED, REFUSED, NOT_RUN, ON_PAGE, NO_TEST)


WORDY = ("what is claimed", "found", "found in print", "in words", "left over right", "which")


def readable(table: pd.DataFrame, caption: str, none: str = "none") -> Styler:
    """A table of words: lines are broken, columns of sentences stay wide, the stamp stands above.

    ``none`` stands in place of one without rows.
    """
    if table.empty:
        return shown(pd.DataFrame({"": [none]}), caption).hide(axis="index").hide(axis="columns")
    wide = [f"td.col{place}" for place, name in enumerate(table) if name in WORDY]
    words = [
        {"selector": "td", "props": "white-space: normal; text-align: left; vertical-align: top; min-width: 4em"},
        {"selector": "th", "props": "text-align: left; vertical-align: top"},
        *[{"selector": ", ".join(wide), "props": "min-width: 15em"}] * bool(wide),
    ]
    return shown(table, caption).hide(names=True).set_table_styles(words)


def judged(verdicts: Verdicts, in_print: str) -> pd.DataFrame:
    """The claims of one verdict in print: where, what, what was found, and what our runs say."""
    rows = [
        {
            "claim": one.claim.id, "place": one.claim.place, "what is claimed": one.claim.claim,
            "found in print": one.print.found, "can be k of n": one.reachable,
        } | {layer: _told(one, layer) for layer in verdicts.layers}
        for one in verdicts.claims
        if one.print.verdict == in_print
    ]  # fmt: skip
    return _by_claim(rows)


def contradictions(verdicts: Verdicts) -> pd.DataFrame:
    """Every claim that the printed numbers contradict, and why in words."""
    rows = [
        {
            "claim": one.claim.id, "place": f"{one.claim.paper}, {one.claim.place}", "what is claimed": one.claim.claim,
            "found in print": one.print.found, "in words": one.claim.note,
        }
        for one in verdicts.claims
        if one.print.verdict == CONTRADICTED
    ]  # fmt: skip
    return _by_claim(rows)


def decided(verdicts: Verdicts) -> pd.DataFrame:
    """Every claim that some of our runs support or contradict, or that they could not be asked about."""
    rows = [
        {
            "claim": one.claim.id, "place": f"{one.claim.paper}, {one.claim.place}", "what is claimed": one.claim.claim,
            "runs": layer, "verdict": rerun.verdict, "found": rerun.found,
        }
        for one in verdicts.claims
        for layer, rerun in one.runs.items()
        if rerun.verdict in (*DECIDED, REFUSED)
    ]  # fmt: skip
    return _by_claim(rows)


def asked(verdicts: Verdicts) -> pd.DataFrame:
    """By layer: how many claims could be asked, of how many comparisons and runs, how many were decided, and by chance.

    The last column is how many would be decided if no row differed from another; no correction over claims is made.
    """
    rows = {}
    for layer in verdicts.layers:
        reruns = [one.runs[layer] for one in verdicts.claims if one.runs[layer].verdict in (*DECIDED, UNDECIDED)]
        gaps = {gap for rerun in reruns for gap in rerun.gaps}
        rows[layer] = {
            "claims asked": len(reruns),
            "comparisons": len(gaps),
            "runs": len({run for gap in gaps for run in gap.runs}),
            "decided": sum(rerun.verdict in DECIDED for rerun in reruns),
            "by chance, at most": f"{LEVEL * len(reruns):.1f}",
        }
    return pd.DataFrame(rows).T.rename_axis("layer")


def counts(verdicts: Verdicts) -> pd.DataFrame:
    """How many claims of each paper have which verdict, in print and by every kind of runs."""
    papers = sorted({one.claim.paper for one in verdicts.claims}, key=list(NAMES).index)
    found = Counter(("in print", one.print.verdict, one.claim.paper) for one in verdicts.claims)
    found += Counter(
        (layer, rerun.verdict, one.claim.paper) for one in verdicts.claims for layer, rerun in one.runs.items()
    )
    order = [("in print", verdict) for verdict in IN_PRINT]
    order += [(layer, verdict) for layer in verdicts.layers for verdict in OF_RUNS]
    rows = pd.MultiIndex.from_tuples([row for row in order if any(found[(*row, paper)] for paper in papers)])
    table = pd.DataFrame({paper: [found[(*row, paper)] for row in rows] for paper in papers}, index=rows)
    return table.assign(all=table.sum(axis=1)).rename_axis(["layer", "verdict"])


def not_run(verdicts: Verdicts) -> pd.DataFrame:
    """What could not be asked of our runs: by layer and reason, how many claims and which."""
    rows = {}
    for one in verdicts.claims:
        for layer, rerun in one.runs.items():
            if rerun.verdict == NOT_RUN:
                rows.setdefault((layer, _why(rerun)), []).append(one.claim.id)
    index = pd.MultiIndex.from_tuples(list(rows), names=["layer", "reason"]) if rows else None
    columns = {"claims": [len(ids) for ids in rows.values()], "which": [", ".join(ids) for ids in rows.values()]}
    return pd.DataFrame(columns, index=index)


def _why(rerun: Rerun) -> str:
    """The reason for which nothing was run, in brief."""
    if rerun.found.startswith(NOWHERE):
        return NOWHERE
    return "rows of systems that are not ours" if "other systems" in rerun.found else "no finished runs"


def comparisons(verdicts: Verdicts, layer: str) -> pd.DataFrame:
    """Every comparison that was made: the gap in points with its interval, on whom, for which claims, from which runs.

    Runs go by the number that ``runs`` gives them.
    """
    numbers = {run: number for number, run in _runs(verdicts, layer).items()}
    used: dict[Gap, list[str]] = {}
    for one in verdicts.claims:
        for gap in one.runs[layer].gaps:
            used.setdefault(gap, []).append(one.claim.id)
    rows = [
        {
            "column": gap.column, "left over right": f"{gap.left} over {gap.right}", "gap [95 %]": points(gap.interval),
            "p": f"{gap.p:.3f}", "people": gap.people, "images": gap.images, "folds": ", ".join(map(str, gap.folds)),
            "claims": ", ".join(dict.fromkeys(ids)), "runs": ", ".join(str(numbers[run]) for run in gap.runs),
        }
        for gap, ids in used.items()
    ]  # fmt: skip
    columns = ["column", "left over right", "gap [95 %]", "p", "people", "images", "folds", "claims", "runs"]
    return pd.DataFrame(rows, columns=columns).rename_axis("comparison")


def runs(verdicts: Verdicts, layer: str) -> pd.DataFrame:
    """The folders of the runs that were compared, below the run store, by number."""
    return pd.DataFrame({"run": _runs(verdicts, layer)}, dtype=str).rename_axis("number")


def _runs(verdicts: Verdicts, layer: str) -> dict[int, str]:
    found = dict.fromkeys(run for one in verdicts.claims for gap in one.runs[layer].gaps for run in gap.runs)
    return dict(enumerate(sorted(found), 1))


def _told(one: Judged, layer: str) -> str:
    rerun = one.runs[layer]
    if rerun.verdict == ON_PAGE:
        return f"see {one.claim.page}"
    return f"{rerun.verdict}: {rerun.found}" if rerun.found else rerun.verdict


def _by_claim(rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(rows).set_index("claim") if rows else pd.DataFrame(index=pd.Index([], name="claim"))
