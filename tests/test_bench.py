"""The bench's file: parts measured anew, others left, each with what it was measured with."""

import json
import re

import pytest

from fercore import bench, bench_paper_tier, paths


@pytest.fixture
def measure(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path))
    monkeypatch.setattr(bench, "PARTS", {"fast": lambda: [("a", {"s": 1.0})], "slow": lambda: [("b", {"s": 2.0})]})

    def call(*parts) -> dict:
        bench.main(list(parts))
        return json.loads((tmp_path / "bench.json").read_text())

    return call


def test_a_part_measured_anew_leaves_the_others_with_their_own_cause(measure, monkeypatch):
    measure()
    monkeypatch.setattr(bench.provenance, "commit", lambda: "beef456789")
    monkeypatch.setattr(bench.provenance, "processor", lambda: "another processor")
    monkeypatch.setitem(bench.PARTS, "fast", lambda: [("a", {"s": 3.0})])
    found = measure("fast")
    assert found["measured"] == {"a": {"s": 3.0}, "b": {"s": 2.0}}
    assert found["with"]["a"]["commit"] == "beef456789" != found["with"]["b"]["commit"]
    assert found["with"]["a"]["machine"] == "another processor" != found["with"]["b"]["machine"]


def test_what_was_measured_before_a_failure_is_kept(measure, monkeypatch):
    monkeypatch.setitem(bench.PARTS, "slow", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        measure()
    monkeypatch.setitem(bench.PARTS, "slow", lambda: [])
    assert measure("slow")["measured"] == {"a": {"s": 1.0}}


def test_an_unknown_part_is_refused_with_the_valid_ones(measure, capsys):
    with pytest.raises(SystemExit):
        measure("everything")
    assert "valid: fast, slow" in capsys.readouterr().err


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(bench, "ON_GPU", {"slow"})
    monkeypatch.setattr(bench.torch.cuda, "is_available", lambda: False)


def test_without_a_gpu_a_part_that_needs_one_is_refused(measure, no_gpu, capsys):
    with pytest.raises(SystemExit):
        measure("slow")
    assert "part slow needs a GPU" in capsys.readouterr().err


def test_without_a_gpu_all_other_parts_are_measured_and_the_reader_is_told(measure, no_gpu, capsys):
    assert set(measure()["measured"]) == {"a"}
    assert "need a GPU: slow" in capsys.readouterr().out


def test_figures_of_a_gpu_name_it(measure, no_gpu, monkeypatch):
    monkeypatch.setattr(bench.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(bench.torch.cuda, "get_device_name", lambda: "a GPU")
    found = measure()["with"]
    assert found["b"]["GPU"] == "a GPU" and "GPU" not in found["a"]


ROWS = [(paper, row) for paper, (*_, rows) in bench_paper_tier.TRAININGS.items() for row in rows]


@pytest.mark.parametrize(("paper", "row"), ROWS)
def test_what_is_measured_on_a_gpu_are_the_papers_settings_on_drawn_faces(paper, row):
    spec = bench_paper_tier.specified(paper, row, "paper")
    stages = spec.module.PRETRAINING
    own = spec.module.TIERS["paper"].on(spec.protocol)
    known = {"multipie": own.pretraining_iterations} | dict.fromkeys(("HNG_vggface", "HNG"), 50_000)
    length = known.get(row, own.pretraining_iterations if row in stages else own.iterations)
    assert (spec.tier, spec.source, spec.config.iterations) == ("paper", "twin", length)
    assert spec.variant == ("IDFERM" if row == "multipie" else row)  # that stage is trained by the row's own loss


def test_hours_of_a_training_follow_from_its_speed(monkeypatch, tmp_path):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    monkeypatch.setattr(bench_paper_tier, "WARM", 1)
    monkeypatch.setattr(bench_paper_tier, "STEPS", 2)
    spec = bench_paper_tier.specified("gcnet", "CNN", "smoke")
    found = bench_paper_tier.training(spec, "cpu")
    assert found["hours"] * found["images/s"] * 3600 == pytest.approx(spec.config.iterations * spec.config.batch_size)


@pytest.mark.parametrize("paper", bench_paper_tier.TRAININGS)
def test_the_readme_says_what_was_measured_on_a_gpu(paper):
    text = (paths.ROOT / "README.md").read_text()
    measured = json.loads((paths.ROOT / "results" / "bench.json").read_text())["measured"]
    *_, rows = bench_paper_tier.TRAININGS[paper]
    found = {row: measured[f"tier paper on cuda, {paper}, {row}"] for row in rows}
    before, baseline, full = rows[:-2], *rows[-2:]
    hours = sum(found[stage]["hours"] for stage in before), found[baseline]["hours"], found[full]["hours"]
    cells = [f"{value:.1f}" for value in (*hours, max(figures["GPU memory, GB"] for figures in found.values()))]
    assert re.search(rf"^\| {paper} \| {re.escape(' | '.join(cells))} \|$", text, re.MULTILINE | re.IGNORECASE), cells
