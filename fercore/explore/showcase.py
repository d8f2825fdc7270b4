"""What a page shows of the store without a kernel: one run in full, and one of each other paper."""

from collections.abc import Iterator

from IPython.display import Markdown
from matplotlib.figure import Figure

from fercore import figures, parameters
from fercore.evaluation import accuracy_interval
from fercore.explore.store import HOME, Store, command_for, fold_of, row_of
from fercore.explore.views import Opened
from fercore.published import NAMES
from fercore.runs import Run

Content = Markdown | Figure


def one(
    store: Store, paper: str, dataset: str, variant: str, fold: int, tier: str, source: str, images: int = 6
) -> list[Content]:
    """A run in full, or one sentence with the command that makes it."""
    place = {"dataset": dataset, "variant": variant, "fold": fold, "tier": tier, "source": source}
    found = store.of(paper=paper, **place)
    if not found:
        command = command_for(paper, **place)
        return [Markdown(
            f"No run of {variant} on {dataset}, fold {fold}, is finished at tier {tier} (source {source}). "
            f"This makes it: `{command}`; `make reproduce PAPER={paper}` makes all of the paper's."
        )]  # fmt: skip
    run = Opened.of(found[0])
    return [*_strip(run, images), confusion(run)]


def others(store: Store, paper: str, tier: str, source: str, images: int = 6) -> Iterator[Content]:
    """A strip of each other paper's own row, where a run of it is finished, else the command that makes some."""
    for other in sorted(set(parameters.papers()) - {paper}):
        yield Markdown(f"### {NAMES[other]}")
        if run := at_home(store, other, tier, source):
            yield from _strip(Opened.of(run), images)
        else:
            yield Markdown(
                f"No run is finished at tier {tier} (source {source}); `make reproduce PAPER={other} TIER={tier}` "
                "makes some."
            )


def at_home(store: Store, paper: str, tier: str, source: str) -> Run | None:
    """The paper's own row on its first database, or on another; None where neither is finished."""
    dataset, protocol, variant = HOME[paper]
    where = {"paper": paper, "variant": variant, "tier": tier, "source": source}
    for found in (store.of(**where, protocol=protocol, dataset=dataset), store.of(**where)):
        if found := [run for run in found if run.spec.inner is None]:
            return found[0]
    return None


def told(run: Opened) -> str:
    """The run in one sentence: what it is, and how much of its test side it recognises."""
    spec, found = run.run.spec, accuracy_interval(run.voted)
    what = "sequences" if len(run.voted) < len(run.predictions) else "images"
    stale = " **Made with other code or images than today's.**" if run.run.stale else ""
    return (
        f"{row_of(run.run)} on {spec.dataset} ({spec.protocol}), {fold_of(run.run)}: of the {len(run.voted)} {what} of "
        f"its test side it recognises, in % with the 95 % interval over people, {found}.{stale} {run.note}"
    ).strip()


def confusion(run: Opened) -> Figure:
    """Its confusion matrix."""
    return figures.confusion_matrix(run.voted, run.classes, run.run.spec.variant, run.stamp)


def _strip(run: Opened, images: int) -> list[Content]:
    table = run.telling(images)
    return [Markdown(told(run)), figures.predicted(table, run.views(table["row"].to_numpy()), run.classes, run.stamp)]
