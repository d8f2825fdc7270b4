"""What runs, how many jobs are left, how much time: one plain line per job, in a terminal as in a log.

A Snakefile asks for it with ``progress.follow(logger, workflow.cores)``; call Snakemake with ``--quiet rules`` then.
"""

import logging
import sys
import time
from collections import Counter, defaultdict
from statistics import mean
from typing import TextIO


def follow(logger: logging.Logger, cores: int) -> None:
    """Print our line per job in place of Snakemake's several; its log file keeps all."""
    for handler in logger.handlers:
        handler.addFilter(lambda record: not _is_chatter(record))
    logger.addHandler(Progress(cores))


def _is_chatter(record: logging.LogRecord) -> bool:
    told = ("run_info", "progress", "job_finished", "resources_info")
    scheduling = record.module == "job_scheduler" and record.levelno <= logging.INFO
    return scheduling or getattr(record, "event", None) in told


class Progress(logging.Handler):
    """Listens to Snakemake's events and prints a line when a job starts or ends."""

    def __init__(self, cores: int, out: TextIO = sys.stderr, clock=time.monotonic):
        super().__init__()
        self.cores, self.out, self.clock = cores, out, clock
        self.waiting: Counter[str] = Counter()  # rule -> jobs not started
        self.running: dict[int, tuple[str, str, float]] = {}  # job -> rule, its name for the reader, start
        self.took: defaultdict[str, list[float]] = defaultdict(list)  # rule -> seconds of its finished jobs
        self.done = self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Follow one event; all others pass by."""
        follow = getattr(self, f"on_{getattr(record, 'event', None)}", None)
        if follow:
            follow(record)

    def on_run_info(self, record: logging.LogRecord) -> None:
        """The jobs of this call, by rule."""
        self.waiting = Counter({rule: jobs for rule, jobs in record.stats.items() if rule != "total"})
        self.total = self.waiting.total()

    def on_job_info(self, record: logging.LogRecord) -> None:
        """A job starts."""
        rule = record.rule_name
        label = " ".join([rule, *(str(value) for value in (record.wildcards or {}).values())])
        self.waiting[rule] = max(0, self.waiting[rule] - 1)  # a retried job starts twice
        self.running[record.jobid] = (rule, label, self.clock())
        self._say("start", label)

    def on_job_finished(self, record: logging.LogRecord) -> None:
        """A job is done."""
        if record.job_id in self.running:
            rule, label, start = self.running.pop(record.job_id)
            self.took[rule].append(self.clock() - start)
            self.done += 1
            self._say("done", f"{label} ({duration(self.took[rule][-1])})")

    def on_job_error(self, record: logging.LogRecord) -> None:
        """A job failed."""
        if record.jobid in self.running:
            self._say("FAILED", self.running.pop(record.jobid)[1])

    def seconds_left(self) -> float | None:
        """Mean time of each rule so far times its jobs left, over the cores; None before the first job is done."""
        if not self.took:
            return None
        typical = mean(mean(times) for times in self.took.values())
        expected = defaultdict(lambda: typical, {rule: mean(times) for rule, times in self.took.items()})
        started = [max(0, expected[rule] - (self.clock() - start)) for rule, _, start in self.running.values()]
        waiting = sum(expected[rule] * jobs for rule, jobs in self.waiting.items())
        return max((sum(started) + waiting) / self.cores, max(started, default=0))

    def _say(self, event: str, label: str) -> None:
        left = self.seconds_left()
        time_left = "time left not known yet" if left is None else f"about {duration(left)} left"
        jobs = f"{len(self.running)} running, {self.waiting.total()} waiting"
        print(f"[{self.done}/{self.total}] {event} {label} | {jobs}, {time_left}", file=self.out, flush=True)


def duration(seconds: float) -> str:
    """``42 s``, ``7 min``, ``1 h 05 min``."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
