"""How action units move the landmark curves of a face: numbers per image and side, before any pixel is drawn.

Every quantity has shape 2 x B x 1 x 1, the viewer's left and right half; ``Canvas.sides`` blends the two along u.

How far a unit moves a curve was set by eye within human measure, then adjusted until two public readers of expressions,
which learned from photographs (face-api 1.7, fer 22.4), read the prototypes as intended more often. None of their
weights is used here.
"""

from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins.facs import AU_INDEX

ONE_SIDED = (2, 6, 10, 12, 14, 15)  # units that a person can show on one side only


def sided_units(units: Tensor, asymmetry: Tensor) -> dict[int, Tensor]:
    """Intensity per AU, 2 x B x 1 x 1, from units B x 20 and asymmetry B (-1 left only .. 1 right only)."""
    side = torch.tensor([-1.0, 1.0], device=units.device)[:, None]  # 2 x 1
    gain = (1 + asymmetry[None] * side).clamp(0, 1.25)  # 2 x B
    both = torch.ones_like(gain)
    return {
        number: (units[:, index][None] * (gain if number in ONE_SIDED else both))[..., None, None]
        for number, index in AU_INDEX.items()
    }


def face_curves(p: SimpleNamespace, au: dict[int, Tensor]) -> SimpleNamespace:
    """All landmark quantities of faces ``p`` (traits, B x 1 x 1) under the units ``au``."""
    return SimpleNamespace(**_brow_curves(p, au), **_eye_curves(p, au), **_nose_curves(p, au), **_mouth_curves(p, au))


def _brow_curves(p: SimpleNamespace, au: dict[int, Tensor]) -> dict[str, Tensor]:
    return {
        # added to the height of the inner end; raised and drawn together about equally, it rises: brows stand oblique
        "brow_inner": -0.14 * au[1] + 0.19 * au[4] * (1 - 0.8 * au[1]) + 0.06 * au[9],
        "brow_outer": -0.10 * au[2] + 0.045 * au[4] + 0.02 * au[6],
        "brow_medial": 0.18 * p.brow_length * au[4],
        "brow_arch": p.brow_arch * (1 - 0.4 * au[4]),
    }


def _eye_curves(p: SimpleNamespace, au: dict[int, Tensor]) -> dict[str, Tensor]:
    lift = 1 + 0.08 * au[1] + 0.08 * au[2] + 0.75 * au[5] - 0.30 * au[7] - 0.12 * au[6] - 0.16 * au[9] - 0.10 * au[4]
    return {
        "upper_lid": 0.53 * p.eye_height * lift * (1 - 1.40 * au[43]),
        "lower_lid": 0.45 * p.eye_height * (1 - 0.50 * au[7] - 0.50 * au[6] - 0.33 * au[9]),
        "rest_lid": 0.53 * p.eye_height * (1 + 0.25 * au[5]),  # where the fold above the lid stays
    }


def _nose_curves(p: SimpleNamespace, au: dict[int, Tensor]) -> dict[str, Tensor]:
    return {
        "nose_y": p.nose_base - 0.05 * au[9] - 0.02 * au[10],
        "nose_wide": p.nose_width * (1 + 0.12 * au[9] + 0.06 * au[10] + 0.08 * au[12]),
    }


def _mouth_curves(p: SimpleNamespace, au: dict[int, Tensor]) -> dict[str, Tensor]:
    part = au[25] * (0.070 + 0.04 * au[12] + 0.100 * au[20] + 0.03 * au[10]) + 0.12 * au[26]
    part = part * (1 - 0.9 * au[24]).clamp_min(0) * (1 - 0.4 * au[23])
    corner = -0.130 * au[12] + 0.130 * au[15] - 0.065 * au[14] + 0.06 * au[20]
    corner = corner + 0.03 * au[17] + 0.03 * au[10] + 0.02 * au[9]  # these raise the middle of the lip more
    corner = corner + 0.12 * au[27] + 0.04 * au[26]  # an opening mouth stays fixed at neither lip
    thick = (1 - 0.55 * au[23]).clamp_min(0.25) * (1 - 0.70 * au[24]).clamp_min(0.2)
    thick = thick * (1 - 0.30 * au[12]) * (1 - 0.2 * au[20])
    dropped = 0.42 * au[27] + 0.10 * au[26] + 0.12 * au[16]
    wide = 0.150 * au[12] + 0.11 * au[20] + 0.05 * au[14] - 0.08 * au[23] - 0.03 * au[24] - 0.11 * au[27]
    raised = 0.065 * au[12] + 0.055 * au[10] + 0.03 * au[9] + 0.025 * au[17]
    lower_middle = p.mouth_y - 0.04 * au[17] + 0.02 * au[26]
    bared = (0.35 + au[12] + au[20] + 0.5 * au[10] + 0.5 * au[9]).clamp(0, 1)
    return {
        "half_width": (p.mouth_width + wide).clamp_min(0.12),
        "corner": corner,
        "gap_up": (0.45 + 0.2 * au[20]) * part + 0.085 * au[27],
        "gap_down": (0.85 - 0.2 * au[20]) * part + 0.045 * au[12] * au[25] + dropped,
        "upper_lip": p.upper_lip * thick * (1 - 0.15 * au[10]),
        "lower_lip": p.lower_lip * thick * (1 + 0.15 * au[17] - 0.15 * au[16]),
        "middle": lower_middle - raised,
        "lower_middle": lower_middle,  # of what hangs on the lower lip: the chin does not follow a raised upper lip
        "chin": p.chin + 0.13 * au[26] + 0.34 * au[27] + 0.02 * au[25] - 0.035 * au[17],
        "teeth": (0.080 + 0.06 * au[12] + 0.02 * au[20]) * bared,
        "lower_teeth": (0.07 * au[20] + 0.10 * au[16]).clamp(0, 0.11),
        "tongue": au[27] + 0.3 * au[26],
    }
