"""Frames per second: of every network, and the printed ones in their places."""

import time

import pytest
import torch
from torch import nn

from fercore import frame_rates


class Slow(nn.Module):
    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.seen = seconds, []

    def forward(self, images):
        self.seen.append((tuple(images.shape), self.training, torch.is_grad_enabled()))
        time.sleep(self.seconds)
        return images


def test_images_over_seconds_in_evaluation_mode_without_gradients():
    slow, fast = Slow(0.08), Slow(0.02)
    rates = frame_rates.frames_per_second({"slow": slow, "fast": fast}, 16, batch=4, rounds=3)
    assert 25 < rates["slow"] <= 50 and 2 < rates["fast"] / rates["slow"] <= 4.5
    assert slow.seen == [((4, 3, 16, 16), False, False)] * 4  # one to warm up, three that count


@pytest.mark.parametrize(("threads", "said"), [(1, "Some CPU, 1 thread"), (4, "Some CPU, 4 threads")])
def test_a_measurement_names_its_processor_and_threads_or_its_card(monkeypatch, threads, said):
    monkeypatch.setattr(frame_rates.provenance, "processor", lambda: "Some CPU")
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card of {device}")
    assert frame_rates.machine() == said and frame_rates.machine("cuda") == "card of cuda"


def test_table4_has_the_printed_rates_and_factors():
    table = frame_rates.table4(["PG-CNN", "gACNN", "Ours"], "smoke", batch=2, rounds=1)
    assert table["printed, frames/s"].tolist() == [1.33, 1.19, 155.3]
    assert table["printed: Ours is faster by"].round(2).tolist() == [116.77, 130.5, 1.0]
    measured = table["ours, frames/s"]
    assert (table["measured: Ours is faster by"] == measured["Ours"] / measured).all() and (measured > 0).all()
