"""Everything that is neither person nor expression: head pose, camera, light, background, sensor."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Nuisance:
    """How much varies, as standard deviations; the defaults are a calm studio after face alignment."""

    light: float = 0.34  # sideways tilt of the light, per subject
    pose: float = 0.08  # yaw and pitch in radians, per sequence
    sway: float = 0.012  # the same, between the frames of a sequence
    shift: float = 0.018  # of the crop, in face units, per frame
    scale: float = 0.020  # of the crop, per frame
    framing: float = 0.040  # of the crop, per setting: what an alignment makes of a face's own proportions
    roll: float = 0.022  # radians, per frame
    noise: float = 0.012  # of the sensor, images in 0..1
    blur: float = 0.45  # of the lens, in pixels at 64 px
    backdrop: float = 0.03  # gray level across the background, per setting


def draw_setting(random: np.random.Generator, nuisance: Nuisance) -> dict[str, float]:
    """What a subject keeps through a recording session: light, background, clothes and camera."""
    return {
        "light_x": nuisance.light * random.standard_normal(), "light_y": -0.45 + 0.12 * random.standard_normal(),
        "ambient": random.uniform(0.22, 0.40), "gain": float(np.exp(0.08 * random.standard_normal())),
        "gamma": random.uniform(1.18, 1.44), "back": random.uniform(0.20, 0.50),
        "back_x": nuisance.backdrop * random.standard_normal(),
        "back_y": nuisance.backdrop * random.standard_normal(),
        "clothes": random.uniform(0.08, 0.6), "blur": nuisance.blur * random.uniform(0.7, 1.3),
        "noise": nuisance.noise * random.uniform(0.7, 1.3), "back_hue": random.uniform(0, 1),
        "own_x": 0.5 * nuisance.framing * random.standard_normal(),
        "own_y": nuisance.framing * random.standard_normal(),
        "own_scale": float(np.exp(nuisance.framing * random.standard_normal())),
    }  # fmt: skip


def draw_pose(random: np.random.Generator, nuisance: Nuisance) -> dict[str, float]:
    """What a sequence keeps: where the head points and the eyes look."""
    return {
        "yaw": nuisance.pose * random.standard_normal(), "pitch": 0.8 * nuisance.pose * random.standard_normal(),
        "gaze_x": 0.010 * random.standard_normal(), "gaze_y": 0.006 * random.standard_normal(),
    }  # fmt: skip


def draw_frame(random: np.random.Generator, nuisance: Nuisance, pose: dict[str, float]) -> dict[str, float]:
    """What changes from frame to frame: a little sway of the head, and the residue of the alignment."""
    shift, sway = nuisance.shift, nuisance.sway
    return {
        "yaw": float(np.clip(pose["yaw"] + sway * random.standard_normal(), -0.6, 0.6)),
        "pitch": float(np.clip(pose["pitch"] + sway * random.standard_normal(), -0.35, 0.35)),
        "gaze_x": pose["gaze_x"], "gaze_y": pose["gaze_y"], "roll": nuisance.roll * random.standard_normal(),
        "shift_x": shift * random.standard_normal(), "shift_y": shift * random.standard_normal(),
        "scale": 1.04 * float(np.exp(nuisance.scale * random.standard_normal())),
        "noise_seed": int(random.integers(2**32)),
    }  # fmt: skip
