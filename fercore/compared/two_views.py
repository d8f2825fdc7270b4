"""The systems that learn from paired visible and thermal faces and are tested on visible ones (Unpaired, Table 1)."""

from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fercore.compared.deep_cca import DeepCCA
from fercore.compared.svm2k import SVM2K

# Not stated, any of them: the paper names the systems only. Fixed beforehand, none chosen on a fold.
COMPONENTS = 40  # of each view after PCA: a few per class and nuisance, far fewer than training rows
C = 0.1  # of every support vector machine; features have variance 1
SIMILARITY = 0.1  # SVM-2K's weight of disagreement: as much as that of a mistake
EPSILON = 0.1  # the disagreement that costs nothing: a tenth of the margin
DIMENSIONS = 10  # of DCCA's and DCCAE's outputs: a quarter of their inputs
AUTOENCODING = 0.5  # DCCAE: correlation and reconstruction weigh the same


def svm2k(visible: np.ndarray, thermal: np.ndarray, label: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """Labels of M visible rows by SVM-2K; visible, thermal: N x D of the same N faces, tested: M x D."""
    seen, other = _reducer(visible), _reducer(thermal)
    model = SVM2K(C, SIMILARITY, EPSILON).fit(seen.fit_transform(visible), other.fit_transform(thermal), label)
    return model.predict(seen.transform(tested))


def deep_cca_svm(
    visible: np.ndarray, thermal: np.ndarray, label: np.ndarray, tested: np.ndarray, autoencoding: float = 0.0
) -> np.ndarray:
    """Labels of M visible rows by a linear SVM on what both views have in common; shapes as in ``svm2k``."""
    seen, other = _reducer(visible), _reducer(thermal)
    shared = DeepCCA(min(DIMENSIONS, _components(visible), _components(thermal)), autoencoding)
    shared.fit(seen.fit_transform(visible), other.fit_transform(thermal))
    model = LinearSVC(C=C, random_state=0).fit(shared.transform(seen.transform(visible)), label)
    return model.predict(shared.transform(seen.transform(tested)))


SYSTEMS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "SVM2K": svm2k,
    "DCCA+SVM": deep_cca_svm,
    "DCCAE+SVM": partial(deep_cca_svm, autoencoding=AUTOENCODING),
}  # row of the table -> (visible N x D, thermal N x D, label N, tested M x D) -> M labels


def _components(view: np.ndarray) -> int:
    return min(COMPONENTS, len(view) - 1, view.shape[1])


def _reducer(view: np.ndarray) -> Pipeline:
    """Standardised features, then PCA with whitening, so that every component counts alike, as it does in CCA."""
    return make_pipeline(StandardScaler(), PCA(_components(view), whiten=True, svd_solver="full"))
