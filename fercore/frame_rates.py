"""How many images per second a network recognises (Occluded, Table 4)."""

import time
from collections.abc import Mapping
from statistics import median

import pandas as pd
import torch
from torch import nn

from fercore import provenance, published
from fercore.faces.protocols import WILD
from fercore.papers import occluded


@torch.no_grad()
def frames_per_second(
    networks: Mapping[str, nn.Module], image_size: int, batch: int = 8, rounds: int = 3, device: str = "cpu"
) -> dict[str, float]:
    """Images per second of each network; they take turns, so that all see the same moods of the machine."""
    images = torch.rand(batch, 3, image_size, image_size, device=device)
    networks = {name: network.to(device).eval() for name, network in networks.items()}
    for network in networks.values():
        network(images)  # the first pass reserves memory and chooses kernels
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(rounds):
        for name, network in networks.items():
            started = time.perf_counter()
            network(images)
            if device == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - started)
    return {name: batch / median(times) for name, times in seconds.items()}


def machine(device: str = "cpu") -> str:
    """What was measured on: a GPU's name, or the processor's and the number of threads that PyTorch may use."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{provenance.processor()}, {threads} thread{'s' * (threads != 1)}"


def table4(variants: list[str], tier: str, batch: int = 8, rounds: int = 3, device: str = "cpu") -> pd.DataFrame:
    """Printed and measured frames per second, and how many times faster the paper's network is than each system."""
    config = occluded.TIERS[tier]
    networks = {}
    for variant in variants:
        method = occluded.METHOD(config, WILD, occluded.VARIANTS[variant])
        networks[variant] = method.recogniser if hasattr(method, "recogniser") else method.student
    measured = frames_per_second(networks, config.image_size, batch, rounds, device)
    printed = {v: published.value("occluded", 4, occluded.PRINTED[v]) for v in variants}
    ours = variants[-1]
    return pd.DataFrame({
        "printed, frames/s": printed,
        "ours, frames/s": measured,
        f"printed: {ours} is faster by": {v: printed[ours] / printed[v] for v in variants},
        f"measured: {ours} is faster by": {v: measured[ours] / measured[v] for v in variants},
        "weights, millions": {v: sum(p.numel() for p in n.parameters()) / 1e6 for v, n in networks.items()},
    }).rename_axis("method")  # fmt: skip
