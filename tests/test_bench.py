"""The bench's file: parts measured anew, others left, each with what it was measured with."""

import json

import pytest

from fercore import bench


@pytest.fixture
def measure(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path))
    monkeypatch.setattr(bench, "PARTS", {"fast": lambda: {"a": {"s": 1.0}}, "slow": lambda: {"b": {"s": 2.0}}})

    def call(*parts) -> dict:
        bench.main(list(parts))
        return json.loads((tmp_path / "bench.json").read_text())

    return call


def test_a_part_measured_anew_leaves_the_others_with_their_own_cause(measure, monkeypatch):
    measure()
    monkeypatch.setattr(bench.provenance, "commit", lambda: "beef456789")
    monkeypatch.setitem(bench.PARTS, "fast", lambda: {"a": {"s": 3.0}})
    found = measure("fast")
    assert found["measured"] == {"a": {"s": 3.0}, "b": {"s": 2.0}}
    assert found["with"]["a"]["commit"] == "beef456789" != found["with"]["b"]["commit"]


def test_what_was_measured_before_a_failure_is_kept(measure, monkeypatch):
    monkeypatch.setitem(bench.PARTS, "slow", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        measure()
    monkeypatch.setitem(bench.PARTS, "slow", lambda: {})
    assert measure("slow")["measured"] == {"a": {"s": 1.0}}


def test_an_unknown_part_is_refused_with_the_valid_ones(measure, capsys):
    with pytest.raises(SystemExit):
        measure("everything")
    assert "valid: fast, slow" in capsys.readouterr().err
