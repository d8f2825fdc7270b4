"""The progress lines: what runs, how many are left, how long; checked on a fake clock and on Snakemake itself."""

import io
import logging
import re
import subprocess
import sys
from pathlib import Path

from fercore.progress import Progress, duration

SNAKEFILE = """
from fercore import progress
from snakemake.logging import logger
progress.follow(logger, workflow.cores)
rule all:
    input: "a_0.txt", "b_1.txt"
rule fold:
    output: "{v}_{k}.txt"
    shell: "test {wildcards.v} = a && touch {output}"
"""


def told(*events: tuple[float, dict]) -> list[str]:
    now, out = 0.0, io.StringIO()
    progress = Progress(cores=2, out=out, clock=lambda: now)
    for now, event in events:  # noqa: B007  the clock reads it
        progress.emit(logging.makeLogRecord(event))
    return out.getvalue().splitlines()


def test_time_left_is_the_mean_of_each_rule_over_the_cores():
    start = [{"event": "job_info", "jobid": k, "rule_name": "fold", "wildcards": {"fold": k}} for k in range(3)]
    lines = told(
        (0, {"event": "run_info", "stats": {"fold": 5, "table": 1, "total": 6}}),
        (0, start[0]),
        (0, start[1]),
        (40, {"event": "job_finished", "job_id": 0}),
        (40, start[2]),
        (60, {"event": "job_finished", "job_id": 1}),
        (60, {"event": "job_error", "jobid": 2}),
        (61, {"event": "nothing known"}),
    )
    assert lines[0] == "[0/6] start fold 0 | 1 running, 5 waiting, time left not known yet"
    assert lines[2] == "[1/6] done fold 0 (40 s) | 1 running, 4 waiting, about 80 s left"  # (0 + 3*40 + 40) / 2
    assert lines[4] == "[2/6] done fold 1 (60 s) | 1 running, 3 waiting, about 90 s left"  # (30 + 2*50 + 50) / 2
    assert lines[5] == "[2/6] FAILED fold 2 | 0 running, 3 waiting, about 75 s left"
    assert len(lines) == 6


def test_durations_are_read_at_a_glance():
    assert [duration(seconds) for seconds in (0.4, 99, 120, 3900)] == ["0 s", "99 s", "2 min", "1 h 05 min"]


def test_snakemake_speaks_through_it(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [Path(sys.executable).parent / "snakemake", *"--cores 1 --nolock --keep-going --quiet rules".split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and (tmp_path / "a_0.txt").exists()
    assert re.search(r"\[1/3\] done fold a 0 \(\d+ s\) \| 0 running, \d waiting, about \d+ s left", done.stderr)
    assert "FAILED fold b 1" in done.stderr and "steps (" not in done.stderr
