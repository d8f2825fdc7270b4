"""What is prepared on this machine, how it compares with what is expected, and which notebooks can run on it.

python data_prep/status.py
"""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from fercore import paths
from fercore.faces.preparation.markers import MARKERS

PAPERS = {  # which papers' tables need a dataset
    "ckplus": "gcnet, idferm, occluded, unpaired", "mmi": "gcnet, idferm, unpaired", "oulu": "gcnet, idferm, unpaired",
    "rafdb": "occluded", "affectnet": "occluded", "fedro": "occluded", "mahnob": "unpaired", "mmse": "unpaired",
    "multipie": "idferm", "vggface": "idferm", "casia_webface": "gcnet",
}  # fmt: skip


def rows() -> pd.DataFrame:
    """One row per dataset and crop: images, verified and unusual counts, whether folds are certified, who uses it."""
    found = {file.parent.name: file.parent for file in (paths.data() / "prepared").glob("*/faceset.json")}
    table = []
    for name in sorted({*MARKERS, *found}):
        base = name.split("-")[0]
        row = {"set": name, "prepared": "yes" if name in found else "no", "used by": PAPERS.get(base, "run notebooks")}
        table.append(row | (_certified(found[name]) if name in found else {}))
    return pd.DataFrame(table).astype(object).fillna("")


def _certified(folder: Path) -> dict[str, object]:
    file = folder / "certificate.json"
    if not file.is_file():
        return {"counts": "no certificate"}
    content = json.loads(file.read_text())
    verdicts = [count["verdict"] for count in content["counts"]]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("as expected", "differs", "unusual"))
    images = sum(content["images per class"].values())
    return {"images": images, "counts": counts, "folds": "certified" if "folds" in content else "none"}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(arguments)
    with pd.option_context("display.width", 200, "display.max_colwidth", 60):
        print(rows().to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
