"""Losses on triplets and tuplets mined from a batch, by pytorch-metric-learning with the conventions of IDFERM."""

from pytorch_metric_learning.distances import DotProductSimilarity, LpDistance
from pytorch_metric_learning.losses import NPairsLoss, TripletMarginLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor


def triplet(f: Tensor, label: Tensor, margin: float) -> Tensor:
    """Triplet loss (IDFERM, Fig. 3a), the mean over all triplets of the batch, 0 without any.

    ``mean of max(0, ||f_a - f_p||^2 - ||f_a - f_n||^2 + margin)``, p of the class of a, n of another.
    f: B x d, not normalised; label: B. No miner; the library's own mean would be over the violating triplets alone.
    """
    distance = LpDistance(normalize_embeddings=False, power=2)
    return TripletMarginLoss(margin, distance=distance, reducer=MeanReducer())(f, label)


def n_pair(f: Tensor, label: Tensor) -> Tensor:
    """(N+1)-tuplet loss (Sohn 2016; IDFERM, Fig. 3b), the mean over classes of two images or more, 0 without any.

    ``mean of log(1 + sum_j exp(f . f_j- - f . f+))``: f and f+ are the batch's first two images of a class, f_j- the
    second images of the N other such classes. f: B x d, not normalised, nor held small; label: B.
    """
    return NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False), reducer=MeanReducer())(f, label)
