"""Running notebooks: what is refused, and that a page is there whole or not at all."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.__main__ import papermill

from fercore import pages, parameters, paths, provenance, site

PARAMETERS = """tier = "smoke"  # size of the run
source = "twin"  # faces
dataset = "ckplus"  # which faces
protocol = "ckplus7"  # frames and classes
variant = "S1R1"  # row of the table
fold = 0  # one of ten
seed = 0  # of everything random
device = "cpu"  # where
folds = [0, 1]  # which folds
rate = 0.5  # a number
note = "none"  # a name"""


def notebook(tmp_path: Path, *code: str, name: str = "page.ipynb", ours: bool = True) -> Path:
    cells = [
        new_markdown_cell("# A page\n\nIt shows $x_r$ first. Then more.\n\n$$L = \\sum_i a_i$$"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *map(new_code_cell, code),
    ]
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    if ours:
        about["fercore"] = {"paper": "gcnet"}
    nbformat.write(new_notebook(cells=cells, metadata=about), tmp_path / name)
    return tmp_path / name


def text_of(path: Path) -> str:
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


def test_a_page_tells_its_commit_and_the_runs_that_it_read(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    runs = [f"gcnet/ckplus-twin-smoke/ckplus7-{row}-fold0-seed0-0123456789" for row in ("S1R1", "CNN", "S1R1")]
    reading = f"for run in {runs}:\n    provenance.trace(paths.results() / 'runs' / run)"
    page = notebook(tmp_path, "from fercore import paths, provenance", reading)
    assert pages.render(page, tmp_path / "out.ipynb", {}) == 0
    about = nbformat.read(tmp_path / "out.ipynb", as_version=4).metadata.fercore
    assert about.runs == [runs[1], runs[0]] and about.commit == provenance.commit()
    assert not list(tmp_path.glob(".out.ipynb*")) and "FERCORE_TRACE" not in os.environ


def test_a_page_of_any_paper_names_the_one_it_was_made_for(tmp_path):
    page = notebook(tmp_path)
    content = nbformat.read(page, as_version=4)
    content.cells[0].source = "# The claims of one paper\n\nAll claims of one paper."
    content.cells[1].source = 'paper = "gcnet"  # which\ntier = "twin"  # size'
    content.metadata.papermill = {"parameters": {"paper": "idferm"}}
    nbformat.write(content, page)
    pages.clean(page, page)
    found = nbformat.read(page, as_version=4)
    assert found.cells[0].source == "# The claims of IDFERM\n\nAll claims of one paper."
    assert site._run_with(found) == "paper idferm · tier twin"


REFUSED = [
    ("foldd", "3", "tier, source, dataset, protocol, variant, fold, seed, device"),
    ("fold", "10", "0 to 9"),
    ("fold", "-1", "0 to 9"),
    ("fold", "1.5", "type int"),
    ("fold", "True", "type int"),
    ("dataset", "ck", "ckplus, mmi, oulu"),
    ("dataset", "../secrets", "letters, digits"),
    ("variant", "S2R2", "S0R0, S1R0, S0R1, S1R1"),
    ("protocol", "mmi6", "ckplus7, ckplus8"),
    ("tier", "huge", "smoke, twin, paper"),
    ("source", "web", "twin, prepared"),
    ("source", "prepared", "not prepared|valid: none"),
    ("seed", "-4", "0 to 9223372036854775807"),
    ("device", "tpu", "cpu, cuda"),
    ("note", "a/b", "letters, digits"),
    ("rate", "fast", "type float"),
]


@pytest.mark.parametrize(("name", "value", "listed"), REFUSED)
def test_papermill_refuses_in_one_line(tmp_path, name, value, listed):
    source, output = notebook(tmp_path), tmp_path / "out.ipynb"
    done = CliRunner().invoke(papermill, [str(source), str(output), "-p", name, value])
    assert done.exit_code == 2
    complaint = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(complaint) == 1 and re.search(listed, complaint[0])
    assert "Traceback" not in done.output and sorted(tmp_path.iterdir()) == [source]


def test_the_real_command_refuses_and_leaves_nothing(tmp_path):
    source = notebook(tmp_path)
    command = Path(sys.executable).parent / "papermill"
    done = subprocess.run(
        [command, source, "out.ipynb", "-p", "foldd", "3"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: parameter 'foldd' is unknown; valid: tier, source")
    assert sorted(tmp_path.iterdir()) == [source]


def test_papermill_runs_what_is_fine_and_lets_other_notebooks_through(tmp_path):
    ours = notebook(tmp_path, "print(fold + 1)")
    foreign = notebook(tmp_path, "print(anything)", name="foreign.ipynb", ours=False)
    for source, given, printed in ((ours, ["fold", "3"], "4"), (foreign, ["anything", "goes"], "goes")):
        output = tmp_path / f"{source.stem}.out.ipynb"
        done = CliRunner().invoke(papermill, [str(source), str(output), "--no-progress-bar", "-p", *given])
        assert done.exit_code == 0, done.output
        assert text_of(output).strip() == printed


def test_a_missing_output_folder_is_refused_before_the_work(tmp_path):
    done = CliRunner().invoke(papermill, [str(notebook(tmp_path)), str(tmp_path / "none" / "out.ipynb")])
    assert done.exit_code == 2 and "does not exist" in done.output


def test_prepared_sets_are_listed_and_accepted(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    (tmp_path / "prepared" / "mine").mkdir(parents=True)
    (tmp_path / "prepared" / "mine" / "faceset.json").write_text("{}")
    defaults = {"source": "twin", "dataset": "ckplus"}
    parameters.check({"source": "prepared", "dataset": "mine"}, defaults, "gcnet")
    with pytest.raises(parameters.ParameterError, match="choose source prepared: mine"):
        parameters.check({"dataset": "mine"}, defaults, "gcnet")
    with pytest.raises(parameters.ParameterError, match=r"valid: mine; to prepare it: python data_prep.london\.py"):
        parameters.check({"source": "prepared", "dataset": "london"}, defaults, "gcnet")


@pytest.mark.parametrize("value", [[], [0, 0], [0, 10], [0, "a"], 3])
def test_lists_are_checked_one_by_one(value):
    with pytest.raises(parameters.ParameterError):
        parameters.check({"folds": value}, {"folds": [0, 1]}, "gcnet")


@pytest.mark.parametrize(("dataset", "last"), [("mahnob", 21), ("mmse", 9), ("ckplus", 9)])
def test_a_protocol_that_leaves_one_person_out_has_as_many_folds_as_people(dataset, last):
    defaults = {"dataset": "mmse", "fold": 0, "left_out": [0]}
    parameters.check({"dataset": dataset, "fold": last}, defaults, "unpaired")
    with pytest.raises(parameters.ParameterError, match=f"fold {last + 1} is out of range; valid: 0 to {last}"):
        parameters.check({"dataset": dataset, "fold": last + 1}, defaults, "unpaired")
    with pytest.raises(parameters.ParameterError, match="left_out 22 is out of range; valid: 0 to 21"):
        parameters.check({"left_out": [0, 22]}, defaults, "unpaired")


def test_cuda_without_a_gpu_is_an_error_and_never_a_fallback(monkeypatch):
    import torch

    for there, refused in ((True, False), (False, True)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        with pytest.raises(parameters.ParameterError, match="valid: cpu") if refused else contextlib.nullcontext():
            parameters.check({"device": "cuda"}, {"device": "cpu"}, "gcnet")


def test_checking_needs_no_torch():
    code = (
        "import sys; from fercore import parameters as p;"
        "d = {'tier': 'twin', 'dataset': 'mmi', 'variant': 'CNN', 'fold': 1, 'seed': 0, 'device': 'cpu'};"
        "p.check({}, d, 'gcnet'); assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_names_read_from_source_are_those_of_the_modules():
    from fercore.faces import protocols
    from fercore.papers import gcnet
    from fercore.twins.recipes import TWINS

    assert parameters.names("fercore.twins.recipes", "TWINS") == list(TWINS)
    assert parameters.names("fercore.papers.gcnet", "VARIANTS") == list(gcnet.VARIANTS)
    parameters.check({"fold": protocols.N_FOLDS - 1}, {"fold": 0}, "gcnet")


def test_a_page_is_rendered_whole_offline_and_without_this_machine(tmp_path):
    draw = "import sys\nfrom tqdm.auto import tqdm\n_ = list(tqdm(range(3)))\nprint('warning', file=sys.stderr)"
    source, output = notebook(tmp_path, draw, "print(dataset, folds)"), tmp_path / "site" / "page.ipynb"
    given = "-p dataset mmi -p protocol mmi6 -p folds [2]".split()
    assert pages.main([str(source), str(output), *given]) == 0
    assert sorted(path.name for path in output.parent.iterdir()) == [".page.lock", "page.html", "page.ipynb"]
    assert text_of(output) == "mmi [2]\n"
    assert str(tmp_path) not in output.read_text() and "widget" not in output.read_text()
    html = output.with_suffix(".html").read_text()
    assert not re.search(r"<(script|link|iframe)|src=.http|url\(.?http|@import", html)
    assert "<math" in html and "<details" in html and "mmi [2]" in html
    index = site.write_index(output.parent).read_text()
    assert 'href="page.html">A page</a><p>It shows x_r first.</p>' in index
    assert "tier smoke" in index and "dataset mmi" in index and "<script" not in index


def test_a_failing_page_leaves_the_good_one_and_itself_aside(tmp_path, capfd):
    output, failed = tmp_path / "out.ipynb", tmp_path / "out.failed.ipynb"
    good = notebook(tmp_path, "print('good')")
    assert pages.render(good, output, {}) == 0
    before = output.read_bytes(), output.with_suffix(".html").read_bytes()
    bad = notebook(tmp_path, "print('before')", "raise ValueError('no such face')")
    assert pages.render(bad, output, {}) == 1
    assert (output.read_bytes(), output.with_suffix(".html").read_bytes()) == before
    assert text_of(failed).startswith("before") and "no such face" in capfd.readouterr().err
    assert '<span class="bad">failed</span>' in site.write_index(tmp_path).read_text()
    assert pages.render(notebook(tmp_path, "print('good again')"), output, {}) == 0
    assert not failed.exists() and text_of(output) == "good again\n"


def test_a_kernel_that_dies_leaves_no_page(tmp_path, capfd):
    source, output = notebook(tmp_path, "import os\nos.kill(os.getpid(), 9)"), tmp_path / "site" / "out.ipynb"
    assert pages.render(source, output, {}) == 1
    assert "kernel died" in capfd.readouterr().err and [path.name for path in output.parent.iterdir()] == [".out.lock"]


def test_render_refuses_before_it_starts(tmp_path, capfd):
    assert pages.main([str(notebook(tmp_path)), str(tmp_path / "out.ipynb"), "-p", "fold", "77"]) == 2
    assert capfd.readouterr().err == "Error: fold 77 is out of range; valid: 0 to 9\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.ipynb"]


def test_a_second_render_leaves_the_notes_of_the_first_and_waits(tmp_path, monkeypatch):
    source, output, started, end = notebook(tmp_path), tmp_path / "out.ipynb", threading.Event(), threading.Event()

    def execute(_, aside, *rest):
        notes = aside.with_name(f"{aside.name}.runs")
        notes.write_text("a run that was read")
        started.set()
        end.wait(10)
        aside.write_bytes(source.read_bytes())
        notes.unlink()  # raises OSError where another render took it for a leftover

    monkeypatch.setattr(pages, "_execute", execute)
    with ThreadPoolExecutor() as renders:
        first = renders.submit(pages.render, source, output, {})
        assert started.wait(10)
        assert pages.render(source, output, {"fold": 77}) == 2
        second = renders.submit(pages.render, source, output, {})
        assert not wait([second], 0.5).done
        end.set()
    assert (first.result(), second.result()) == (0, 0)


def test_checking_alone_runs_and_writes_nothing(tmp_path, capfd):
    source = str(notebook(tmp_path, "raise SystemExit"))
    assert pages.main([source, "--check", "-p", "fold", "3"]) == 0
    assert pages.main([source, "--check", "-p", "fold", "77"]) == 2
    assert capfd.readouterr().err == "Error: fold 77 is out of range; valid: 0 to 9\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.ipynb"]


def test_make_folds_refuses_in_one_line_before_any_fold():
    env = Path(sys.executable).parents[1]
    installed = env / ".fercore-installed"  # taken for granted: a test installs nothing
    command = ["make", "--no-print-directory", "-o", installed, "folds", "TIER=smoke", "DATASET=nowhere", f"ENV={env}"]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and done.stdout == ""
    assert done.stderr.splitlines()[0].startswith("Error: dataset 'nowhere' is unknown; valid: ckplus, mmi")


def test_kill_in_the_middle_leaves_no_page(tmp_path):
    reached = tmp_path / "reached"
    source = notebook(tmp_path, f"open({str(reached)!r}, 'w').close()\nimport time\ntime.sleep(60)")
    output = tmp_path / "site" / "out.ipynb"
    work = subprocess.Popen([sys.executable, "-m", "fercore.pages", source, output], start_new_session=True)
    for _ in range(300):
        if reached.exists():
            break
        time.sleep(0.1)
    os.killpg(work.pid, signal.SIGKILL)
    work.wait()
    assert reached.exists() and not output.exists() and not output.with_suffix(".html").exists()
    assert pages.render(notebook(tmp_path, "print('now')"), output, {}) == 0
    assert sorted(path.name for path in output.parent.iterdir()) == [".out.lock", "out.html", "out.ipynb"]
