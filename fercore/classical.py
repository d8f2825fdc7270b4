"""A classical reference: histograms of oriented gradients and a linear support vector machine."""

import numpy as np
import pandas as pd
from skimage.feature import hog
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Protocol, divide


def hog_svm(faces: FaceSet, protocol: Protocol, folds: list[int], strength: float = 0.01) -> pd.DataFrame:
    """Test predictions of HOG (8 x 8 pixel cells) + linear SVM; ``strength`` is the SVM's C, fixed beforehand."""
    return _classify(np.stack([hog(image) for image in faces.images]), faces, protocol, folds, strength)


def pixel_svm(faces: FaceSet, protocol: Protocol, folds: list[int], strength: float = 0.001) -> pd.DataFrame:
    """Test predictions of a linear SVM on gray levels: what needs no features at all."""
    return _classify(np.asarray(faces.images).reshape(len(faces), -1) / 255, faces, protocol, folds, strength)


def _classify(
    features: np.ndarray, faces: FaceSet, protocol: Protocol, folds: list[int], strength: float
) -> pd.DataFrame:
    parts = []
    for fold in folds:
        division = divide(faces, protocol, fold)
        labelled = division.train.target >= 0
        model = make_pipeline(StandardScaler(), LinearSVC(C=strength, random_state=0))
        model.fit(features[division.train.rows[labelled]], division.train.target[labelled])
        test = faces.table.loc[division.test.rows, ["subject", "sequence", "frame", "label"]].reset_index(drop=True)
        test.insert(0, "row", division.test.rows)
        test["predicted"] = np.array(division.classes)[model.predict(features[division.test.rows])]
        parts.append(test.assign(fold=fold))
    return pd.concat(parts, ignore_index=True)
