"""Faces made frontal and neutral by the trained generator of IDFERM."""

from typing import Any

import numpy as np
import torch

from fercore.faces.faceset import FaceSet
from fercore.method import Method
from fercore.runs import Run, pretrain

AT_ONCE = 256  # images


def generator(spec: Any, device: str = "cpu") -> Run:
    """The generator that ``spec``'s configuration asks for; trained first where it does not exist."""
    return pretrain(spec, "HNG", device)


def references(generator: Run, faces: FaceSet, rows: np.ndarray, device: str = "cpu") -> np.ndarray:
    """x̂ of these rows of ``faces``, N x H x W, uint8."""
    return normalised(generator.method().to(device), np.asarray(faces.images[rows]))


@torch.no_grad()
def normalised(method: Method, images: np.ndarray) -> np.ndarray:
    """x̂ of gray images, N x H x W, uint8, all at the size that ``method`` was trained at, made where it is."""
    device = next(method.parameters()).device
    parts = [
        method.Dec(method.Enc(torch.tensor(images[start : start + AT_ONCE]).to(device)[:, None].float() / 255)).cpu()
        for start in range(0, len(images), AT_ONCE)
    ]
    return (255 * torch.cat(parts)[:, 0]).round().to(torch.uint8).numpy() if parts else images
