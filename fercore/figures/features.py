"""Figures of what networks learn: embeddings of features, first filters."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from fercore.figures.page import new, stamped
from fercore.runs import Run

SEEDS = 2**32  # those that scikit-learn and umap take


def embedding(runs: list[Run], stamp: str, seed: int = 0) -> Figure:
    """Test images in two dimensions, t-SNE above and UMAP below: pixels first, then each run's features (Fig. 5).

    Under each title stands the silhouette of the classes in the space itself, before it was flattened:
    1 well apart, 0 mixed.
    """
    label = runs[0].predictions["label"].to_numpy()
    pixels = np.asarray(runs[0].faces().images[runs[0].predictions["row"].to_numpy()]).reshape(len(label), -1) / 255
    spaces = {"pixels": pixels} | {run.spec.variant: run.features for run in runs}
    figure = new(3.6 * len(spaces), 7.2)
    axes = figure.subplots(2, len(spaces))
    for column, (name, space) in enumerate(spaces.items()):
        points = StandardScaler().fit_transform(space)
        apart = silhouette_score(points, label)
        for axis, method in zip(axes[:, column], (tsne, _umap), strict=True):
            flat = method(points, seed)
            last = column == len(spaces) - 1 and method is tsne
            sns.scatterplot(
                x=flat[:, 0], y=flat[:, 1], hue=label, hue_order=sorted(set(label)), s=16, ax=axis, legend=last
            )
            axis.set(xticks=[], yticks=[], title=f"{name}\nsilhouette {apart:.2f}" if method is tsne else "")
        axes[0, 0].set_ylabel("t-SNE")
        axes[1, 0].set_ylabel("UMAP")
    axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)
    return stamped(figure, stamp)


def tsne(points: np.ndarray, seed: int) -> np.ndarray:
    """Points (N x D) in two dimensions, N x 2."""
    return TSNE(perplexity=min(30, (len(points) - 1) / 3), init="pca", random_state=seed % SEEDS).fit_transform(points)


def _umap(points: np.ndarray, seed: int) -> np.ndarray:
    from umap import UMAP  # slow to import: numba compiles

    return UMAP(n_neighbors=min(15, len(points) - 1), random_state=seed % SEEDS, n_jobs=1).fit_transform(points)


def filters(run: Run, stamp: str, decoder_filters: int = 100, seed: int = 0) -> Figure:
    """First convolutions of En_1, En_2 and the second deconvolutions of De_1, De_2r, De_2i (Fig. 6)."""
    method = run.method()
    draw = np.random.default_rng(seed)
    sets = {}
    for name in ("En1", "En2"):
        sets[f"{name}, layer 1"] = method.get_submodule(name).layers[0][0].weight[:, 0].numpy()
    for name in ("De1", "De2r", "De2i"):
        kernels = method.get_submodule(name).layers[1][0].weight.numpy()
        kernels = kernels.reshape(-1, *kernels.shape[-2:])
        chosen = draw.choice(len(kernels), size=min(decoder_filters, len(kernels)), replace=False)
        sets[f"{name}, layer 2"] = kernels[chosen]
    figure = new(2.6 * len(sets), 3.9)
    for axis, (name, kernels) in zip(figure.subplots(1, len(sets)), sets.items(), strict=True):
        axis.imshow(_mosaic(kernels), cmap="gray")
        axis.set(title=f"{name}\n{len(kernels)} filters", xticks=[], yticks=[])
    return stamped(figure, stamp)


def _mosaic(kernels: np.ndarray) -> np.ndarray:
    """Kernels (N x k x k), each stretched to [0, 1], side by side with white lines between."""
    across = int(np.ceil(np.sqrt(len(kernels))))
    side = kernels.shape[-1] + 1
    canvas = np.ones((side * -(-len(kernels) // across) + 1, side * across + 1))
    for i, kernel in enumerate(kernels):
        top, left = side * (i // across) + 1, side * (i % across) + 1
        spread = np.ptp(kernel) or 1.0
        canvas[top : top + side - 1, left : left + side - 1] = (kernel - kernel.min()) / spread
    return canvas
