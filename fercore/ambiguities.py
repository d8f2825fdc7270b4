"""What the papers leave unstated: every choice, what is taken, and what another value would do to the paper's main row.

An effect is measured with one field of the configuration changed, on the same test images. Nothing is selected from it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

import pandas as pd

from fercore import arms, parameters, paths
from fercore.ablation import Ablation
from fercore.evaluation import Interval
from fercore.faces.protocols import PEOPLE, PROTOCOLS
from fercore.tables.page import joined

COLUMNS = (
    "paper", "choice", "place", "not_stated", "default", "alternatives", "why", "field", "values", "variant", "dataset",
    "protocol", "study", "unmeasured",
)  # fmt: skip
STUDIES = ("table", "short")  # the one behind the paper's table, or one of its own that is shorter
IN_USE = "in use"
EFFECTS = ["paper", "arm", "effect", "low", "high", "images", "run"]


def choices(paper: str | None = None) -> pd.DataFrame:
    """The list, of one paper or of all; of a field, ``default`` (tier paper) and ``values`` are Python values.

    Raises ValueError, naming the line, for a paper, a field, a study or a value that does not exist.
    """
    if paper not in (None, *parameters.papers()):
        raise ValueError(f"paper {paper!r} is unknown; valid: {', '.join(parameters.papers())}")
    listed = pd.read_csv(paths.published() / "ambiguities.csv", keep_default_na=False, dtype=str)
    if tuple(listed.columns) != COLUMNS:
        raise ValueError(f"ambiguities.csv has the columns {list(listed.columns)}, not {list(COLUMNS)}")
    for row in listed.itertuples():
        _check(row, f"ambiguities.csv, line {row.Index + 2} ({row.paper}, {row.choice})")
    for column in ("default", "values"):
        pairs = zip(listed[column], listed["field"], strict=True)
        listed[column] = [_read(value) if field else value for value, field in pairs]
    return listed if paper is None else listed[listed["paper"] == paper]


def _check(row: Any, where: str) -> None:
    if row.paper not in parameters.papers():
        raise ValueError(f"{where}: unknown paper; valid: {', '.join(parameters.papers())}")
    if bool(row.study) == bool(row.unmeasured) or row.study not in ("", *STUDIES):
        raise ValueError(f"{where}: give the study that measures it ({', '.join(STUDIES)}), or else why none does")
    known = [field.name for field in fields(import_module(f"fercore.papers.{row.paper}").Config)]
    if row.field and row.field not in known:
        raise ValueError(f"{where}: no field {row.field!r}; valid: {', '.join(known)}")
    if row.field and not (row.values.startswith("[") and row.values != "[]"):
        raise ValueError(f"{where}: values must be a JSON list of the field's other values, not {row.values!r}")
    if row.study and not (row.field and row.variant and row.dataset and row.protocol in PROTOCOLS):
        raise ValueError(f"{where}: what is measured needs a field, a variant, a dataset and a known protocol")


def _read(value: str) -> Any:
    """JSON, with tuples for lists below the first level, as configurations hold them."""
    found = json.loads(value)
    return [tuple(one) if isinstance(one, list) else one for one in found] if isinstance(found, list) else found


@dataclass(frozen=True)
class Group:
    """Choices that are measured on one study: what is in use there, and every alternative, one at a time."""

    base: Ablation  # of one variant
    choices: pd.DataFrame

    @property
    def alternatives(self) -> dict[str, dict[str, Any]]:
        """Name of an arm -> the field's other value; a value that is in use at the tier makes no arm."""
        config = self.base.specs[0].config
        return {
            f"{row.choice}: {getattr(config, row.field)} → {value}": {row.field: value}
            for row in self.choices.itertuples()
            for value in row.values
            if value != getattr(config, row.field)
        }

    @property
    def name(self) -> str:
        """Paper and study."""
        return f"{self.base.paper}, {self.choices['study'].iloc[0]}"

    def studies(self, device: str = "cpu") -> dict[str, Ablation]:
        """What is in use and every arm, as studies of their own; missing runs are trained now."""
        return arms.studies(self.base, self.base.variants[0], {IN_USE: {}} | self.alternatives, device)

    def effects(self, device: str = "cpu") -> pd.DataFrame:
        """What every arm has over what is in use, points with the paired 95 % interval; missing runs are trained now.

        Columns: paper, arm, effect, low, high, images, run (the folders of the arm).
        """
        studies = self.studies(device)
        found = arms.gaps(studies, self.base.variants[0], IN_USE)
        return pd.DataFrame([self._row(name, gap, studies[name]) for name, gap in found.items()], columns=EFFECTS)

    @property
    def stamp(self) -> str:
        """What stands under its effects: that of what is in use, runs of the arms included."""
        return self.base.stamp_with(self.studies().values())

    def _row(self, name: str, gap: Interval, study: Ablation) -> dict[str, Any]:
        points = {"effect": 100 * gap.value, "low": 100 * gap.low, "high": 100 * gap.high}
        runs = study.runs()
        tested = sum(run.about["images"]["test"] for run in runs)
        folders = ", ".join(run.spec.folder.name for run in runs)
        return {"paper": self.base.paper, "arm": name} | points | {"images": tested, "run": folders}


def groups(
    papers: Sequence[str], tier: str, source: str, folds: Sequence[int], left_out: Sequence[int],
    seeds: Sequence[int], shorter: Mapping[str, Mapping[str, Any]],
) -> list[Group]:  # fmt: skip
    """What is measured of these papers, by study.

    folds: of ten; left_out: of protocols that leave one person out; shorter: paper -> changes that make its short one.
    """
    found = []
    for paper in papers:
        listed = choices(paper)
        measured = listed[listed["study"] != ""]
        for (variant, dataset, protocol, study), rows in measured.groupby(
            ["variant", "dataset", "protocol", "study"], sort=False
        ):
            numbers = left_out if PROTOCOLS[protocol].folds == PEOPLE else folds
            changes = shorter.get(paper, {}) if study == "short" else {}
            base = Ablation(paper, dataset, [variant], protocol, numbers, tier, source, seeds, changes)
            found.append(Group(base, rows))
    return found


def effects(measured: Sequence[Group], device: str = "cpu") -> pd.DataFrame:
    """Those of every group, paper by paper, the largest of each first; missing runs are trained now."""
    parts = [group.effects(device) for group in measured]
    papers = list(dict.fromkeys(group.base.paper for group in measured))
    found = pd.concat(parts, ignore_index=True)
    order = found.assign(order=found["paper"].map(papers.index), size=-found["effect"].abs())
    return order.sort_values(["order", "size"], ignore_index=True)[EFFECTS]


def stamp(measured: Sequence[Group]) -> str:
    """What stands under table and figure."""
    return joined({group.name: group.stamp for group in measured})
