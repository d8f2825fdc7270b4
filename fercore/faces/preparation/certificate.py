"""A certificate: what one copy of a dataset holds, compared with what is expected; no image, fit to be published."""

import hashlib
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fercore import provenance
from fercore.faces.faceset import fingerprint_in
from fercore.faces.folds import N_FOLDS
from fercore.faces.folds import certificate as fold_certificate
from fercore.faces.folds import fingerprint as fold_fingerprint
from fercore.faces.preparation.framing import RULE, Framing
from fercore.faces.preparation.reading import Expected
from fercore.storage import whole_file, write_json

ROWS = 1024  # of a table in memory at once
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "td,th{padding:.1rem .8rem;text-align:left}"
)


def compared(expectations: Mapping[str, Expected], counts: Mapping[str, int]) -> pd.DataFrame:
    """Expected and found counts, what is missing, and the verdicts, those that differ first."""
    rows = []
    for what in dict.fromkeys([*expectations, *counts]):
        expected, found = expectations.get(what), counts.get(what, 0)
        missing = max(expected.lowest - found, 0) if expected else 0
        verdict = expected.verdict(found) if expected else ""
        rows.append((what, str(expected or ""), found, missing or "", verdict))
    table = pd.DataFrame(rows, columns=["count", "expected", "found", "missing", "verdict"])
    order = table["verdict"].map({"differs": 0, "unusual": 1, "as expected": 2, "": 3})
    return table.assign(order=order).sort_values("order", kind="stable").drop(columns="order").reset_index(drop=True)


def certificate(
    title: str,
    folder: Path,
    asked: Mapping[str, object],
    counts: pd.DataFrame,
    framing: Framing,
    notes: Sequence[str],
    people: bool = True,
) -> dict:
    """Everything worth knowing of the prepared set in ``folder``, as JSON.

    ``asked`` are the options that it was prepared with; ``people`` says whether its subjects are people, to cut folds.
    """
    manifest = Manifest.of(folder, people)
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    content = {
        "dataset": title, "this copy": verdict(counts), "prepared as": folder.name, "prepared with": dict(asked),
        "pixels": list(images.shape[1:]), "fingerprint": fingerprint_in(folder), "code": provenance.commit(),
        "labels' fingerprint": manifest.digest,
        "counts": counts.to_dict("records"), "notes": list(notes), "rule for faces": RULE,
        "faces by how they were found": framing.summary(), "pictures with a problem": framing.odd,
        "images per class": dict(sorted(manifest.labels.items())),
    }  # fmt: skip
    if people and manifest.people["subject"].nunique() >= N_FOLDS:
        content["folds' fingerprint"] = fold_fingerprint(manifest.people)
        content["folds"] = fold_certificate(manifest.people).reset_index().to_dict("records")
    if people:
        content["images per subject"] = manifest.people["subject"].value_counts().sort_index().to_dict()
    if set(manifest.splits) != {""}:
        content["images per official split"] = dict(sorted(manifest.splits.items()))
    return content


@dataclass
class Manifest:
    """What a manifest says, added up in pieces: a large one takes more room than everything else here."""

    labels: Counter = field(default_factory=Counter)  # images of each
    splits: Counter = field(default_factory=Counter)
    digest: str = ""  # SHA-256 of who shows what, as csv
    people: pd.DataFrame | None = None  # subject, sequence and label of every image, where subjects are people

    @classmethod
    def of(cls, folder: Path, people: bool) -> "Manifest":
        """The manifest of the set in ``folder``."""
        said, total, words = cls(), hashlib.sha256(), {}
        columns = {name: [] for name in (("subject", "sequence", "label") if people else ())}
        with pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False, chunksize=ROWS) as reading:
            for i, rows in enumerate(reading):
                total.update(rows[["subject", "sequence", "frame", "label"]].to_csv(index=False, header=not i).encode())
                said.labels.update(rows["label"])
                said.splits.update(rows["split"])
                for name, column in columns.items():
                    column += [words.setdefault(word, word) for word in rows[name]]  # each word once
        said.digest, said.people = total.hexdigest(), pd.DataFrame(columns) if people else None
        return said


def verdict(counts: pd.DataFrame) -> str:
    """Whether a copy is the published one, as far as verified counts tell."""
    wrong = counts.loc[counts["verdict"] == "differs", "count"]
    if len(wrong):
        return f"differs from the published one in {', '.join(wrong)}"
    if (counts["verdict"] == "as expected").any():
        return "has every verified count of the published one"
    return "cannot be compared with verified counts: there are none"


def write(content: Mapping, folder: Path) -> None:
    """``certificate.json`` and ``certificate.html`` in ``folder``."""
    write_json(folder / "certificate.json", dict(content))
    with whole_file(folder / "certificate.html") as aside:
        aside.write_text(page(content), encoding="utf-8")


def page(content: Mapping) -> str:
    """The certificate to read."""
    parts = [f"<h1>{html.escape(str(content['dataset']))}</h1>"]
    for name, value in content.items():
        if name == "dataset":
            continue
        parts.append(f"<h2>{html.escape(name)}</h2>{_shown(value)}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(str(content['dataset']))}</title><style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return pd.DataFrame(value.items()).to_html(header=False, index=False, border=0) if value else "none"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return pd.DataFrame(value).to_html(index=False, border=0)
    if isinstance(value, list):
        return "".join(f"<p>{html.escape(str(one))}</p>" for one in value) or "none"
    return f"<p>{html.escape(str(value))}</p>"
