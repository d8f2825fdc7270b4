"""The workflow and the map: every artefact has a rule, every rule's command is a valid one, nothing is run here."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from fercore import pages, parameters, paths
from fercore.train import _parser

CHOICE = {  # a row whose folds are asked for, by paper
    "gcnet": {"dataset": "mmi", "variant": "S0R1"},
    "occluded": {"dataset": "ckplus", "variant": "Ours"},
    "unpaired": {"dataset": "mmse", "variant": "Pan"},
    "idferm": {"dataset": "ckplus", "variant": "2B(N+M)"},
}
SOURCE = {"smoke": "twin", "twin": "twin", "paper": "prepared"}  # what each tier takes where nobody says otherwise
FOLDS = {"smoke": [0], "twin": [0], "paper": list(range(10))}  # of ten, by tier
ONCE = {  # jobs of `reproduce` that do not depend on the number of folds, by paper
    "gcnet": {"pretraining": 2, "page": 13, "index": 1, "reproduce": 1},
    "occluded": {"page": 11, "index": 1, "reproduce": 1},
    "unpaired": {"page": 9, "index": 1, "reproduce": 1},
    "idferm": {"pretraining": 4, "page": 17, "index": 1, "reproduce": 1},
}
ON_DEMAND = {"fold_page": 10, "row_page": 1, "folds": 1, "twin_page": 2, "twins": 1, "verdict_page": 10, "verdict": 1}
ON_LONDON = {"london_page": 1, "london": 1}  # a page of its own for papers that need visible images only
LEFT_OUT = {"smoke": 1, "twin": 3, "paper": 22}  # of MAHNOB's people, by tier
OF_NO_PAPER = {"twin_quality.ipynb", "explore_synthetic_faces.ipynb"}
OF_ALL_PAPERS = {"explore_runs.ipynb", "try_your_own_photo.ipynb"}  # and those in notebooks/verdict
NOTEBOOKS = sorted(str(f.relative_to(paths.ROOT)) for f in (paths.ROOT / "notebooks").rglob("[!.]*.ipynb"))


def fold_jobs(paper: str, tier: str) -> int:
    """Trainings: jobs per protocol and fold; Occluded cuts only CK+ into folds, Unpaired has rows for pairs beside."""
    folds = len(FOLDS[tier])
    jobs = {
        "gcnet": 4 * folds, "occluded": 2 * (3 + folds), "unpaired": 2 * (2 * LEFT_OUT[tier] + folds) + 3 * folds,
        "idferm": 4 * 2 * folds,
    }  # fmt: skip
    return jobs[paper]


def on_demand(paper: str) -> dict[str, int]:
    """Jobs of the targets other than `reproduce`."""
    return ON_DEMAND | (ON_LONDON if Path(paths.ROOT, "notebooks", paper, "real_faces_london.ipynb").exists() else {})


def notebooks_of(paper: str) -> set[str]:
    """The notebooks that a paper's targets make pages of."""
    own = {
        f for f in NOTEBOOKS
        if f.startswith((f"notebooks/{paper}/", "notebooks/verdict/")) or Path(f).name in OF_NO_PAPER | OF_ALL_PAPERS
    }  # fmt: skip
    return own | ({"notebooks/0_start_here.ipynb"} if paper == "gcnet" else set())


snakemake_needed = pytest.mark.skipif(find_spec("snakemake") is None, reason="snakemake is not installed")


class Plan:
    """A dry run at one tier: of everything, or of the targets named."""

    def __init__(self, paper: str, tier: str, folder: Path, targets: tuple[str, ...] | None = None):
        of_every_paper = ("reproduce", "folds", "twins", "verdict")
        targets = targets or (*of_every_paper, *(["london"] if "london" in on_demand(paper) else []))
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", paths.ROOT / "Snakefile", "--directory", folder,
            "--dry-run", "--printshellcmds", "--nolock", "--cores", "1",
            "--config", f"paper={paper}", f"tier={tier}",
            *(f"{name}={value}" for name, value in CHOICE[paper].items()),
            "--", *targets,
        ]  # fmt: skip
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        text = ended.stdout + ended.stderr
        assert ended.returncode == 0, text
        self.jobs = Counter(re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE))
        self.outputs = {
            one for line in re.findall(r"^    output: (.*)$", text, re.MULTILINE) for one in line.split(", ")
        }
        lines = re.findall(r"Shell command: (python .*?)(?: > \S+ 2>&1)?$", text, re.MULTILINE)  # logs left out
        self.commands = [shlex.split(line) for line in lines]

    def of(self, module: str) -> list[list[str]]:
        """The arguments of every command that runs this module."""
        return [words[3:] for words in self.commands if words[:3] == ["python", "-m", module]]


@pytest.fixture(scope="module", params=[(paper, tier) for paper in ONCE for tier in FOLDS], ids="-".join)
def plan(request, tmp_path_factory) -> tuple[str, str, Plan]:
    paper, tier = request.param
    return paper, tier, Plan(paper, tier, tmp_path_factory.mktemp(f"plan-{paper}-{tier}"))


@snakemake_needed
def test_every_job_is_planned_once(plan):
    paper, tier, planned = plan
    assert planned.jobs == ONCE[paper] | on_demand(paper) | {"fold": fold_jobs(paper, tier)}
    work = [tuple(words) for words in planned.commands if "--index" not in words]  # the index follows each target
    assert len(set(work)) == len(work)


@snakemake_needed
def test_the_index_of_another_target_does_not_pass_for_the_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "index.html").touch()  # as `make london` leaves it
    assert Plan("gcnet", "smoke", tmp_path, ["reproduce"]).jobs == ONCE["gcnet"] | {"fold": 4}


@snakemake_needed
def test_every_notebook_becomes_a_page_of_its_own_name(plan):
    paper, tier, planned = plan
    rendered = {words[0]: Path(words[1]) for words in planned.of("fercore.pages") if words[0] != "--index"}
    assert {str(Path(source).relative_to(paths.ROOT)) for source in rendered} == notebooks_of(paper)
    folder = paths.results() / "notebooks" / (paper if tier == "twin" else f"{paper}-{tier}-{SOURCE[tier]}")
    drawn = paths.results() / "notebooks" / ("twins" if tier == "twin" else f"twins-{tier}")
    names = {Path(source).name for source in notebooks_of(paper)}
    verdict = drawn.with_name(drawn.name.replace("twins", "verdict"))
    of_all = OF_ALL_PAPERS | {f.name for f in (paths.ROOT / "notebooks" / "verdict").glob("*.ipynb")}
    pages_of = {name: drawn if name in OF_NO_PAPER else verdict if name in of_all else folder for name in names}
    claims = [verdict / f"claims_{one}.ipynb" for one in ONCE]  # one notebook, a page for each paper
    wanted = [*claims, *(place / name for name, place in pages_of.items() if name != "claims.ipynb")]
    assert not set(map(str, wanted)) - planned.outputs
    of_row = {f for f in planned.outputs if Path(f).parent == folder / "folds"}
    row = "-".join([*CHOICE[paper].values(), SOURCE[tier]])
    assert len(of_row) == 11 and all(Path(f).name.startswith(f"{row}-") for f in of_row)


@snakemake_needed
@pytest.mark.parametrize(("choice", "valid"), [
    ("paper=Occluded tier=twin", "PAPER=Occluded is unknown; valid: gcnet, idferm, occluded, unpaired"),
    ("paper=gcnet tier=tiny", "TIER=tiny is unknown; valid: smoke, twin, paper"),
    ("paper=gcnet tier=twin source=licensed", "SOURCE=licensed is unknown; valid: twin, prepared"),
])  # fmt: skip
def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(tmp_path, choice, valid):
    command = [sys.executable, "-m", "snakemake", "--snakefile", paths.ROOT / "Snakefile", "--directory", tmp_path]
    ended = subprocess.run(
        [*command, "--dry-run", "--nolock", "--cores", "1", "--config", *choice.split()],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode != 0 and valid in ended.stdout + ended.stderr


def test_make_takes_prepared_data_where_the_tier_is_the_papers():
    for asked, source in (("TIER=paper", "prepared"), ("TIER=smoke", "twin"), ("TIER=paper SOURCE=twin", "twin")):
        for target in ("reproduce", "keep"):
            words = ["make", "--dry-run", "--directory", paths.ROOT, target, *asked.split()]
            planned = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            assert re.search(rf"source[= ]{source}\b", planned)


def test_london_without_its_photographs_says_what_to_give(tmp_path):
    for asked, said in (("LONDON=nowhere", "give LONDON=folder of"), ("PAPER=unpaired", "valid: gcnet")):
        words = ["make", "--directory", paths.ROOT, "london", f"ENV={tmp_path}", *asked.split()]
        (tmp_path / ".fercore-installed").touch()
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ended.returncode == 2 and said in ended.stderr


@snakemake_needed
def test_an_official_division_has_one_fold(tmp_path, monkeypatch):
    monkeypatch.setitem(CHOICE, "occluded", {"dataset": "rafdb", "variant": "sim"})
    assert Plan("occluded", "smoke", tmp_path, ["folds"]).jobs == {"fold_page": 1, "row_page": 1, "folds": 1}


@snakemake_needed
@pytest.mark.parametrize("paper", ["gcnet", "occluded"])  # that of this workflow, and another
def test_new_runs_on_real_faces_renew_the_verdict(tmp_path, monkeypatch, paper):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path))
    for page in map(Path, Plan("gcnet", "smoke", tmp_path, ["verdict"]).outputs):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
    assert Plan("gcnet", "smoke", tmp_path, ["verdict"]).jobs == {"verdict": 1}
    london = tmp_path / "notebooks" / f"{paper}-smoke-twin" / "real_faces_london.ipynb"
    london.parent.mkdir()
    london.touch()
    os.utime(london, (time.time() + 60,) * 2)  # newer than the verdict
    assert Plan("gcnet", "smoke", tmp_path, ["verdict"]).jobs == {"verdict": 1, "verdict_page": 10}


def test_every_notebook_belongs_to_a_target():
    assert set().union(*map(notebooks_of, ONCE)) == set(NOTEBOOKS)


@snakemake_needed
def test_pages_are_asked_for_parameters_that_their_notebooks_have(plan):
    _, tier, planned = plan
    for source, _, *words in planned.of("fercore.pages"):
        if source == "--index":
            continue
        given = {name: pages._literal(value) for flag, name, value in zip(*[iter(words)] * 3, strict=True)}
        notebook = nbformat.read(source, as_version=4)
        if "london" in source:  # real photographs: its set is not prepared here
            parameters.check_notebook(notebook, given | {"source": "twin", "dataset": "ckplus"})
        else:
            assert given.get("source", SOURCE[tier]) == SOURCE[tier]
            parameters.check_notebook(notebook, given | {"source": "twin"} if "source" in given else given)
        measures_speed = "table4_speed" in source  # of the paper's networks, whatever the tier
        assert measures_speed or given.get("tier", tier) == tier
        assert set(given) <= set(parameters.defaults_of(notebook))


@snakemake_needed
def test_trainings_are_valid_and_train_what_the_pages_show(plan):
    paper, tier, planned = plan
    trained = set()
    for words in planned.of("fercore.train"):
        chosen = vars(_parser().parse_args(words))
        if stage := chosen.pop("pretraining"):
            assert stage in parameters.names(f"fercore.papers.{paper}", "PRETRAINING")
            continue
        values = {name: value for name, value in chosen.items() if value is not None}
        assert values.pop("source") == SOURCE[tier]  # never drawn faces at the paper's tier
        parameters.check(values, values, paper)
        changes = repr(values["changes"])
        trained |= {(values["dataset"], values["protocol"], row, values["fold"], changes) for row in values["variants"]}
    for source in notebooks_of(paper):
        shown = parameters.defaults_of(nbformat.read(paths.ROOT / source, as_version=4))
        if not (re.search(r"table[2-9]", source) and "protocol" in shown):
            continue
        changes = repr(shown.get("changes", {}))
        rows = [(row, k) for row in shown["variants"] for k in FOLDS[tier]]
        needed = {(shown["dataset"], shown["protocol"], row, k, changes) for row, k in rows}
        assert needed <= trained, source


def artefact_rows(text: str) -> list[list[str]]:
    """Rows of the tables whose second column links a notebook."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in tables_of(text)]
    return [row for row in rows if len(row) > 1 and "notebooks/" in row[1]]


def tables_of(text: str) -> list[str]:
    """The body lines of every Markdown table."""
    lines, body, inside = text.splitlines(), [], False
    for line in lines:
        if re.fullmatch(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*", line) and "|" in line:
            inside = True
        elif not line.lstrip().startswith("|"):
            inside = False
        elif inside:
            body.append(line)
    return body


def test_readme_maps_every_artefact_to_its_notebook():
    rows = artefact_rows((paths.ROOT / "README.md").read_text())
    linked = [path for row in rows for path in re.findall(r"\]\((?:\./)?(notebooks/[^)#\s]+\.ipynb)\)", row[1])]
    assert rows and len(linked) >= len(rows), "a row's second column must link its notebook"
    assert set(linked) == set(NOTEBOOKS)


def test_reading_the_map_sees_what_is_wrong():
    text = "| artefact | notebook |\n|---|---|\n| Table 2 | [page](notebooks/a.ipynb) |\n\n| no | table |\n"
    assert artefact_rows(text) == [["Table 2", "[page](notebooks/a.ipynb)"]]
    assert artefact_rows(text.replace("[page](notebooks/a.ipynb)", "soon")) == []
