"""How many comparisons of distances each metric loss makes in a batch (IDFERM, Sec. 4)."""

from torch import Tensor, unique

from fercore.losses.metric import tuplets


def comparisons(label: Tensor, subject: Tensor, pushed: Tensor | None = None) -> dict[str, int]:
    """The exact number for a batch of K queries, by the loss's name.

    A comparison is one distance (or similarity) held against another or against a threshold: of a triplet one, of a
    tuplet one with each negative, elsewhere one of each image with each centre that it is compared with. ``radial``
    makes 2K, less those references that are not ``pushed``; the paper counts 2 (N + M) K for ``clusters``, twice ours.
    label, subject, pushed: K.
    """
    positive, negative = tuplets(label, subject)
    queries, (of_class, sizes) = len(label), unique(label, return_counts=True)
    others = positive.sum(1) - 1
    pairs = int((sizes >= 2).sum())
    return {
        "triplet": int((others * (~positive).sum(1)).sum()),
        "n_pair": pairs * (pairs - 1),
        "coupled_clusters": len(of_class) * queries,
        "clusters": int(positive.sum() + negative.sum()),
        "centre": queries,
        "radial": queries + (queries if pushed is None else int(pushed.sum())),
    }
