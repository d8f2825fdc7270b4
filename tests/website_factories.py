"""A few rendered notebooks and runs, and the small site over them."""

import base64
import io
import json
from pathlib import Path

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

RUN = "gcnet/ckplus-twin-smoke/ckplus7-S1R1-fold0-seed0-0123456789"
LOST = "gcnet/ckplus-twin-smoke/ckplus7-CNN-fold0-seed0-9876543210"
STAMP = "tier smoke · data: drawn & small · seeds 0 · commit abcdef0123"
TABLE = f"<table><caption>{STAMP.replace('&', '&amp;')}</caption><thead><tr><th>row</th>" + "".join(
    f"<th>a column with a long name {k}</th>" for k in range(9)
)
TABLE += "</tr></thead><tbody><tr><th>S1R1</th>" + "<td>87.5</td>" * 9 + "</tr></tbody></table>"
ARTEFACTS = [
    ("gcnet", "Table 2", "table2_ckplus7", "gcnet/table2_ckplus7.ipynb", "CK+ 7 classes", "make reproduce"),
    ("gcnet", "Figure 4", "figure4", "gcnet/figure4_small_expressions.ipynb", "small expressions", "make reproduce"),
    ("gcnet", "page", "pretraining", "gcnet/pretraining.ipynb", "pre-training", "make reproduce"),
    ("occluded", "page", "real_faces_london", "occluded/real_faces_london.ipynb", "real faces", "make london"),
]
CREDIT = "drawn <script>alert(1)</script>\n" + "`" * 9 + "\n```{include} ../../secret.txt\n```"  # what no page may obey
ABOUT = {
    "spec": {"paper": "gcnet", "variant": "S1R1", "fold": 0, "seed": 0, "tier": "smoke", "changes": [], "inner": None},
    "config": {"iterations": 12, "widths": [4, 8]},
    "data": {"name": "ckplus", "source": "twin", "credit": CREDIT, "fingerprint": "f" * 64},
    "images": {"train": 30, "test": 4}, "test_subjects": ["S1", "S2"], "folds": "0a1b2c", "commit": "abcdef0123",
    "source_digest": "d1d2d3", "versions": {"torch": "2"}, "seconds": 3.5, "peak_memory_mb": 200,
}  # fmt: skip


def png(width: int = 800, height: int = 400, colour: tuple = (200, 30, 30, 128)) -> str:
    """A half-transparent picture, in base64."""
    drawn = io.BytesIO()
    Image.new("RGBA", (width, height), colour).save(drawn, "png")
    return base64.b64encode(drawn.getvalue()).decode()


def shown(**data) -> list:
    """One output of a cell."""
    return [new_output("execute_result", {"text/plain": "<shown>", **data}, execution_count=1)]


def notebook(title: str, runs: list[str] | None, trace: Path) -> nbformat.NotebookNode:
    """An executed page with a table, figures and formulas; running it would leave ``trace``."""
    cells = [
        new_markdown_cell(f"# {title}\n\nIt compares $X_r$ with others. Then more.\n\n$$L = \\sum_i a_i$$"),
        new_code_cell('tier = "paper"  # size\nsource = "twin"\nseeds = [0]', metadata={"tags": ["parameters"]}),
        new_code_cell(f"from fercore import tables\nopen({str(trace)!r}, 'w')"),
        new_markdown_cell("## Accuracy\n\nPer row, on the same people. And more."),
        new_code_cell("tables.shown()", outputs=shown(**{"text/html": TABLE})),
        new_code_cell("figure", outputs=shown(**{"image/png": png()})),
        new_code_cell("face", outputs=shown(**{"text/html": f'<img src="data:image/png;base64,{png(8, 8)}">'})),
    ]
    about = {"paper": "gcnet"} | ({} if runs is None else {"runs": runs})
    made = {"input_path": "notebooks/gcnet/run_fold.ipynb", "end_time": "2026-11-20T10:00:00+00:00"}
    made["parameters"] = {"tier": "smoke"}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    return new_notebook(cells=cells, metadata={"fercore": about, "papermill": made, "language_info": language})


def write_results(folder: Path) -> None:
    """A results folder: pages of two papers, one run of two, verdict counts."""
    pages = {
        "gcnet/table2_ckplus7": notebook("GCNet, Table 2", [RUN, LOST], folder / "executed"),
        "gcnet/folds/ckplus-2B(N+M)-fold3": notebook("One fold", [], folder / "executed"),
        "gcnet/pretraining.failed": notebook("Broken", [], folder / "executed"),
        "occluded/real_faces_london": notebook("Occluded on real faces", None, folder / "executed"),
    }
    for name, page in pages.items():
        file = folder / "notebooks" / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(page, file)
    run = folder / "runs" / RUN
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(ABOUT))
    said = pd.DataFrame({"label": ["a", "b", "a", "b"], "predicted": ["a", "b", "a", "a"]})
    said.to_parquet(run / "predictions.parquet")
    counts = "# all claims · commit abcdef0123\n,paper,layer,verdict,claims\n"
    counts += "0,gcnet,print,consistent,41\n1,gcnet,print,contradicted,7\n2,idferm,print,consistent,33\n"
    counts += "3,gcnet,twin,undecided,5\n"
    (folder / "tables").mkdir()
    (folder / "tables" / "verdict_counts.csv").write_text(counts)
