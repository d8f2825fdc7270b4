"""Deep canonical correlation analysis: what two views of a face have in common, seen from the first view alone."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass
class DeepCCA:
    """One small network per view whose outputs correlate (Unpaired, Table 1: "DCCA"; with autoencoding "DCCAE").

    ``min -(1 - a) |S_aa^(-1/2) S_ab S_bb^(-1/2)|_F^2 + a sum over views of mean (x - decoder(encoder(x)))^2``,
    S: covariances of the outputs over all rows, a: ``autoencoding``. DCCA is Andrew et al. 2013, DCCAE Wang et al.
    2015, both by the library cca-zoo, which sums squared correlations where Andrew et al. sum the correlations.
    Nothing but the paper's names of the two systems is stated: every value here is ours, none chosen on faces.
    """

    dimensions: int = 10
    autoencoding: float = 0.0  # 0 (DCCA) to 1 (autoencoders alone)
    epochs: int = 200  # steps, each on all rows: correlations of few rows are biased
    rate: float = 1e-3  # of Adam
    decay: float = 0.1  # of weights; without it less of what random views share was found again in new rows
    ridge: float = 1e-3  # added to the covariances' diagonals
    width: int = 64  # units of the hidden layer
    seed: int = 0

    def fit(self, view_a: np.ndarray, view_b: np.ndarray) -> "DeepCCA":
        """Learn from N x A and N x B features of the same faces; raises ValueError where they are not paired."""
        views = [torch.as_tensor(np.asarray(view), dtype=torch.float64) for view in (view_a, view_b)]
        self._check(*views)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = self._model(*(view.shape[1] for view in views))
        self._train(model, views)
        self.encoder_ = model.encoders[0].eval().requires_grad_(False)
        with torch.no_grad():
            self._align(*(code.numpy() for code in model(views)))
        return self

    def transform(self, view_a: np.ndarray) -> np.ndarray:
        """The first view's canonical variates, M x dimensions: on the training rows uncorrelated, of variance 1."""
        view_a = torch.as_tensor(np.asarray(view_a), dtype=torch.float64)
        if view_a.ndim != 2 or view_a.shape[1] != self.encoder_[0].in_features:
            raise ValueError(f"view_a is {tuple(view_a.shape)}; learnt from {self.encoder_[0].in_features} features")
        return (self.encoder_(view_a).numpy() - self.mean_) @ self.turn_

    def _check(self, view_a: Tensor, view_b: Tensor) -> None:
        if view_a.ndim != 2 or view_b.ndim != 2 or len(view_a) != len(view_b):
            raise ValueError(f"N x A and N x B are needed, got {tuple(view_a.shape)} and {tuple(view_b.shape)}")
        if not (view_a.isfinite().all() and view_b.isfinite().all()):
            raise ValueError("a feature is not finite")
        if any((view == view[:1]).all() for view in (view_a, view_b)):
            raise ValueError("a view is the same in every row: nothing correlates with it")
        if not 0 < self.dimensions < len(view_a):
            raise ValueError(f"{self.dimensions} dimensions of {len(view_a)} rows")

    def _model(self, *features: int) -> nn.Module:
        """Encoders and decoders with one hidden layer, in float64: the loss inverts roots of eigenvalues."""
        from cca_zoo.deep import DCCAE  # takes seconds, once

        encoders = [self._layers(count, self.dimensions) for count in features]
        decoders = [self._layers(self.dimensions, count) for count in features]
        return DCCAE(self.dimensions, encoders, decoders, lam=self.autoencoding, reg_covar=self.ridge).double()

    def _layers(self, given: int, wanted: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(given, self.width), nn.Tanh(), nn.Linear(self.width, wanted))

    def _train(self, model: nn.Module, views: list[Tensor]) -> None:
        """The library leaves training to a general trainer; every row in every step needs no more than this loop."""
        optimiser = torch.optim.Adam(model.parameters(), lr=self.rate, weight_decay=self.decay)
        for _ in range(self.epochs):
            loss = model.loss({"views": views})["objective"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def _align(self, code_a: np.ndarray, code_b: np.ndarray) -> None:
        """Turn the first view's outputs (N x dimensions) into canonical variates, the most correlated first."""
        from cca_zoo.linear import CCA

        self.mean_ = code_a.mean(axis=0)
        self.turn_ = CCA(self.dimensions).fit([code_a, code_b]).weights_[0]  # dimensions x dimensions
