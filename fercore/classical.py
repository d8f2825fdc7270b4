"""Classical references: hand-made features, or none, and a linear support vector machine."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from skimage.color import rgb2gray
from skimage.feature import hog, local_binary_pattern
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Division, Protocol, divide

Cut = Callable[[FaceSet, Protocol, int], Division]  # what a fold trains on and tests, as ``divide`` says it
CELLS = 6  # LBP: cells along each side of the image
POINTS, RADIUS = 8, 1  # LBP: neighbours of a pixel, and their distance from it
PATTERNS = POINTS * (POINTS - 1) + 3  # 58 uniform patterns of 8 neighbours, and one for all others


def hog_svm(
    faces: FaceSet, protocol: Protocol, folds: list[int], strength: float = 0.01, cut: Cut = divide
) -> pd.DataFrame:
    """Test predictions of HOG (8 x 8 pixel cells) + linear SVM.

    ``strength`` is the SVM's C, fixed beforehand; ``cut`` divides the faces, for instance to train on half the people.
    """
    return _classify(hog_features(faces.images), faces, protocol, folds, strength, cut)


def lbp_svm(
    faces: FaceSet, protocol: Protocol, folds: list[int], strength: float = 0.01, cut: Cut = divide
) -> pd.DataFrame:
    """Test predictions of uniform local binary patterns (6 x 6 cells) + linear SVM."""
    return _classify(lbp_features(faces.images), faces, protocol, folds, strength, cut)


def pixel_svm(
    faces: FaceSet, protocol: Protocol, folds: list[int], strength: float = 0.001, cut: Cut = divide
) -> pd.DataFrame:
    """Test predictions of a linear SVM on gray levels: what needs no features at all."""
    levels = np.stack([_gray(image).ravel() for image in faces.images]) / 255
    return _classify(levels, faces, protocol, folds, strength, cut)


def hog_features(images: np.ndarray) -> np.ndarray:
    """Histograms of 9 orientations in 8 x 8 pixel cells, blocks of 3 x 3 cells; N x H x W (x 3) uint8 -> N x D."""
    return np.stack([hog(_gray(image)) for image in images])


def lbp_features(images: np.ndarray) -> np.ndarray:
    """Shares of the 59 patterns in each of 6 x 6 cells; N x H x W (x 3) uint8 -> N x 2124."""
    return np.stack([_histograms(local_binary_pattern(_gray(i), POINTS, RADIUS, "nri_uniform")) for i in images])


def _histograms(pattern: np.ndarray) -> np.ndarray:
    """H x W pattern numbers -> CELLS * CELLS * PATTERNS shares; cells of one image differ by a pixel at most."""
    down, right = (np.arange(side) * CELLS // side for side in pattern.shape)
    cell = down[:, None] * CELLS + right  # H x W
    count = np.bincount((cell * PATTERNS + pattern.astype(int)).ravel(), minlength=CELLS**2 * PATTERNS)
    return (count.reshape(CELLS**2, PATTERNS) / np.bincount(cell.ravel())[:, None]).ravel()


def _gray(image: np.ndarray) -> np.ndarray:
    """H x W or H x W x 3 (RGB), uint8 -> H x W, uint8, by the eye's sensitivity to each colour."""
    return image if image.ndim == 2 else np.rint(255 * rgb2gray(image)).astype(np.uint8)


def _classify(
    features: np.ndarray, faces: FaceSet, protocol: Protocol, folds: list[int], strength: float, cut: Cut
) -> pd.DataFrame:
    parts = []
    for fold in folds:
        division = cut(faces, protocol, fold)
        labelled = division.train.target >= 0
        model = make_pipeline(StandardScaler(), LinearSVC(C=strength, random_state=0))
        model.fit(features[division.train.rows[labelled]], division.train.target[labelled])
        test = faces.table.loc[division.test.rows, ["subject", "sequence", "frame", "label"]].reset_index(drop=True)
        test.insert(0, "row", division.test.rows)
        test["predicted"] = np.array(division.classes)[model.predict(features[division.test.rows])]
        parts.append(test.assign(fold=fold))
    return pd.concat(parts, ignore_index=True)
