"""Measure IDFERM's metric loss against the softmax alone, with the same images, and its test of one image."""

from statistics import median

import torch

from fercore.bench_steps import Work, in_turns
from fercore.faces.protocols import SEVEN
from fercore.losses.classification import cross_entropy
from fercore.method import Batch
from fercore.papers import idferm

CONFIGS = {"twin tier": (idferm.TIERS["twin"], 10), "60 px, paper's filters": (idferm.Config(), 2)}


def measured() -> dict[str, dict[str, float]]:
    """Every figure of this file."""
    steps = {f"step of IDFERM, {name}": step(*values) for name, values in CONFIGS.items()}
    return steps | {f"test of IDFERM, one image, {name}": query(config) for name, (config, _) in CONFIGS.items()}


def step(config: idferm.Config, repeats: int) -> dict[str, float]:
    """Milliseconds of a step of L_RML and of the softmax alone, whose network sees the same queries and references.

    Beside them the softmax row itself, which sees no reference: half the images.
    """
    batch = _batch(config)
    joint, alone, same = (_method(config, row) for row in ("IDFERM", "softmax", "softmax"))
    twice = Batch(torch.cat([batch.image, batch.reference]), batch.label.repeat(2))
    seconds = in_turns({
        "RML": lambda: joint.step(batch),
        "softmax, the same images": _softmax_of_queries(same, twice, len(batch.label)),
        "softmax, queries alone": lambda: alone.step(batch),
    }, repeats)  # fmt: skip
    return {f"{name}, ms": 1000 * median(times) for name, times in seconds.items()} | {
        f"RML over {name}": median(rml / one for rml, one in zip(seconds["RML"], seconds[name], strict=True))
        for name in list(seconds)[1:]
    }


def query(config: idferm.Config) -> dict[str, float]:
    """Milliseconds from one stored image to its class scores, on the thread that calls."""
    method = _method(config, "IDFERM").eval()
    image = torch.rand(1, 1, config.image_size, config.image_size)
    return {"ms": 1000 * median(in_turns({"query": lambda: method.predict(Batch(image))}, repeats=10)["query"])}


def _method(config: idferm.Config, row: str) -> idferm.IDFERM:
    torch.manual_seed(0)
    return idferm.IDFERM(config, SEVEN, idferm.VARIANTS[row]).to(memory_format=torch.channels_last).train()


def _batch(config: idferm.Config) -> Batch:
    image, reference = torch.rand(2, config.per_class * len(SEVEN), 1, config.image_size, config.image_size)
    label = torch.arange(len(image)) % len(SEVEN)
    return Batch(image, label, reference, torch.zeros(len(image), dtype=torch.bool), subject=torch.arange(len(image)))


def _softmax_of_queries(method: idferm.IDFERM, twice: Batch, queries: int) -> Work:
    """A step whose network sees all images, and whose loss is of the first ``queries``."""
    method.softmax = lambda batch, out: cross_entropy(out.logits[:queries], batch.label[:queries])
    return lambda: method.step(twice)
