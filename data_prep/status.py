"""What is prepared on this machine, how it compares with what is expected, and which notebooks can run on it.

python data_prep/status.py
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fercore import known, parameters, paths
from fercore.faces.preparation.markers import MARKERS

PAPERS = {  # which papers' tables need a dataset
    "ckplus": "gcnet, idferm, occluded, unpaired", "mmi": "gcnet, idferm, unpaired", "oulu": "gcnet, idferm, unpaired",
    "rafdb": "occluded", "affectnet": "occluded", "fedro": "occluded", "mahnob": "unpaired", "mmse": "unpaired",
    "multipie": "idferm", "vggface": "idferm", "casia_webface": "gcnet",
}  # fmt: skip
LEGEND = (
    "no reference: some images lack a neutral one of the same person; only rows that compare with none run (CNN).\n"
    "colour: for the methods that take colour; the others need another --crop."
)
ANY = "any"  # dataset of a notebook that takes each of them


def rows() -> pd.DataFrame:
    """One row per dataset and crop: images, verified and unusual counts, whether folds are certified, who uses it."""
    found = _found()
    table = []
    for name in sorted({*MARKERS, *found}):
        row = {"set": name, "prepared": "yes" if name in found else "no", "papers": PAPERS.get(_base(name), "none")}
        table.append(row | (_certified(found[name]) if name in found else {}))
    return pd.DataFrame(table).astype(object).fillna("")


def notebooks() -> pd.DataFrame:
    """One row per notebook that takes prepared data: its dataset, with which sets it runs now, or what to prepare."""
    table = []
    for file in sorted(paths.notebooks().rglob("*.ipynb")):
        defaults = parameters.defaults_of(_read(file))
        if needed := _needed(defaults):
            name = file.relative_to(paths.notebooks()).with_suffix("").as_posix()
            table.append({"notebook": name, "dataset": ", ".join(needed), "runs": _runs(needed)})
    return pd.DataFrame(table)


def _needed(defaults: Mapping[str, Any]) -> list[str]:
    """The datasets that a notebook with these parameters takes; ANY where it takes one of any name."""
    if "source" not in defaults or not {"dataset", "datasets"} & set(defaults):
        return []
    if defaults.get("protocol") == "default":
        return [ANY]
    named = [*defaults.get("datasets", []), defaults.get("dataset", "")]
    return sorted({one for name in named for one in name.split("+") if one})  # "a+b" are joined to one set


def _runs(needed: list[str]) -> str:
    """The sets there are for it, or what has to be prepared."""
    sets = {one: [name for name in sorted(_found()) if one in (ANY, _base(name))] for one in needed}
    if missing := [one for one in needed if not sets[one]]:
        scripts = " and ".join(f"data_prep/{'<dataset>' if one == ANY else one}.py" for one in missing)
        return f"no: python {scripts} --source DIR"
    return ", ".join(_suited(name) for one in needed for name in sets[one])


def _found() -> dict[str, Path]:
    return {name: paths.data() / "prepared" / name for name in known.prepared()}


def _base(name: str) -> str:
    """The dataset of a set, whose name may go on with a crop or a choice."""
    return name.split("-")[0]


def _suited(name: str) -> str:
    """A set with what its images and references allow (GCNet takes gray images, and compares with neutral ones)."""
    folder = _found()[name]
    if np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False).ndim == 4:
        return f"{name} (colour)"
    table = pd.read_csv(folder / "manifest.csv", usecols=["reference"])
    return name if (table["reference"] >= 0).all() else f"{name} (no reference)"


def _read(file: Path) -> dict:
    notebook = json.loads(file.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def _certified(folder: Path) -> dict[str, object]:
    file = folder / "certificate.json"
    if not file.is_file():
        return {"counts": "no certificate"}
    content = json.loads(file.read_text())
    verdicts = [count["verdict"] for count in content["counts"]]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("as expected", "differs", "unusual"))
    images = sum(content["images per class"].values())
    folds = "certified " + content["folds' fingerprint"] if "folds" in content else "none"
    return {"images": str(images), "counts": counts, "folds": folds}


def main(arguments: list[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(arguments)
    with pd.option_context("display.width", 240, "display.max_colwidth", 90):
        print(rows().to_string(index=False), end="\n\n")
        print(notebooks().to_string(index=False), end="\n\n")
    print(LEGEND)
    return 0


if __name__ == "__main__":
    sys.exit(main())
