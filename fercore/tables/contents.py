"""Tables of what a method is made of: layers, shapes, terms, one run's facts."""

import importlib

import pandas as pd
import torch
from torch import nn

from fercore import published
from fercore.ablation import Ablation
from fercore.faces.folds import certificate
from fercore.faces.protocols import divide
from fercore.method import Batch
from fercore.networks.encoder_decoder import KERNELS, Decoder, Encoder
from fercore.papers.gcnet import GCNet
from fercore.runs import Run


def images_learned(studies: list[Ablation]) -> pd.DataFrame:
    """How many images every row learned from: a row each, a column per study; several numbers where folds differ."""
    return pd.DataFrame({
        study.definition.name: {
            row: ", ".join(map(str, sorted({run.about["images"]["train"] for run in study.runs(row)}))) or None
            for row in study.variants
        }
        for study in studies
    }).rename_axis(index="row")  # fmt: skip


def architecture(method: nn.Module) -> pd.DataFrame:
    """The layers of every encoder and decoder as the live modules have them."""
    rows = []
    for name, network in method.named_children():
        if isinstance(network, Encoder | Decoder):
            pools = KERNELS if isinstance(network, Encoder) else KERNELS[::-1]
            rows += [
                _layer(name, i, layer, pool)
                for i, (layer, pool) in enumerate(zip(network.layers, pools, strict=True), 1)
            ]
    return pd.DataFrame(rows).set_index(["network", "layer"])


def _layer(network: str, number: int, layer: nn.Sequential, pool: int) -> dict:
    conv = layer[0]
    return {
        "network": network,
        "layer": number,
        "operation": "DeConv" if isinstance(conv, nn.ConvTranspose2d) else "Conv",
        "kernel": conv.kernel_size[0],
        "filters": conv.out_channels,
        "pooling window": pool,
        "weights": sum(p.numel() for p in layer.parameters()),
    }


def beside_printed_architecture(live: pd.DataFrame) -> pd.DataFrame:
    """Kernel, filters and pooling window of En1 and De1, printed (GCNet, Table 1) and live, and whether they agree."""
    rows = []
    for line in published.table("gcnet", 1).itertuples():
        side, _, number = line.method.partition(" layer ")
        column = {"kernel": "kernel", "filters": "filters", "window": "pooling window"}[line.metric.split()[-1]]
        value = live.loc[({"Encoder": "En1", "Decoder": "De1"}[side], int(number)), column]
        row = {"line": line.method, "quantity": line.metric, "printed": int(line.value), "live": int(value)}
        rows.append(row | {"agree": "yes" if row["printed"] == row["live"] else "no"})
    return pd.DataFrame(rows).set_index("line")


def shapes(method: GCNet) -> pd.DataFrame:
    """What one image becomes on its way through encoder, decoder and head, measured on a blank image."""
    size = method.config.image_size
    found: list[tuple[str, tuple[int, ...]]] = [("image", (1, size, size))]
    hooks = [
        layer.register_forward_hook(
            lambda _, __, out, name=f"{name} layer {i}": found.append((name, tuple(out.shape[1:])))
        )
        for name in ("En1", "De1")
        for i, layer in enumerate(method.get_submodule(name).layers, start=1)
    ]
    was_training = method.training
    method.eval()
    with torch.no_grad():
        outputs = method(Batch(torch.zeros(1, 1, size, size)))
        found += [("code", tuple(outputs.code.shape[1:])), ("first fully connected layer", (outputs.feature.shape[1],))]
    method.train(was_training)
    for hook in hooks:
        hook.remove()
    rows = [{"place": name, "shape": " x ".join(map(str, shape))} for name, shape in found]
    return pd.DataFrame(rows).drop_duplicates("place").set_index("place")


def terms(paper: str) -> pd.DataFrame:
    """Which terms each variant keeps."""
    variants = importlib.import_module(f"fercore.papers.{paper}").VARIANTS
    columns = list(dict.fromkeys(term for kept in variants.values() for term in sorted(kept)))
    rows = {name: ["yes" if term in kept else "" for term in columns] for name, kept in variants.items()}
    return pd.DataFrame(rows, index=columns).T


def fold_certificate(ablation: Ablation) -> pd.DataFrame:
    """Subjects, sequences and classified images that each fold tests."""
    faces, protocol = ablation.faces, ablation.definition
    tested = [divide(faces, protocol, fold).test.rows for fold in range(ablation.n_folds)]
    table = faces.table
    if protocol.official:  # the one fold is not of all people, but of those whom the publishers test
        table = table.iloc[tested[0]].drop(columns="fold", errors="ignore")
    counts = certificate(table, ablation.n_folds)[["subjects", "sequences"]]
    counts["classified images"] = list(map(len, tested))
    return counts


def facts(run: Run) -> pd.DataFrame:
    """What a run was: images, people, seconds, memory."""
    about = run.about
    return pd.DataFrame(
        {
            "value": {
                "classes": ", ".join(about["classes"]),
                "images to train on": about["images"]["train"],
                "images tested": about["images"]["test"],
                "people tested": len(about["test_subjects"]),
                "iterations": about["config"]["iterations"],
                "image size": about["config"]["image_size"],
                "seconds of its own training": about["seconds"],
                "peak memory of the process, MB": about["peak_memory_mb"],
                "torch": about["versions"]["torch"],
            }
        }
    )
