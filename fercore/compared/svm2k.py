"""SVM-2K (Farquhar et al. 2005): two linear support vector machines, one per view, whose scores have to agree."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass
class SVM2K:
    """Learns from two views of each row and predicts from the first one alone (Unpaired, Table 1: "SVM2K").

    ``min 1/2 |w_a|^2 + 1/2 |w_b|^2 + C sum(xi_a + xi_b) + similarity sum(eta)``  such that in every row
    ``y (w_a x_a + b_a) >= 1 - xi_a``, ``y (w_b x_b + b_b) >= 1 - xi_b``,
    ``|w_a x_a + b_a - w_b x_b - b_b| <= eta + epsilon``  and  ``xi_a, xi_b, eta >= 0``.

    Two classes make one problem (y = 1 for the second in sorted order), K > 2 make K, each class against the rest.
    """

    C: float = 1.0
    similarity: float = 1.0
    epsilon: float = 0.0

    def fit(self, view_a: np.ndarray, view_b: np.ndarray, label: np.ndarray) -> "SVM2K":
        """Learn from N x A and N x B features and N labels; raises ValueError where they do not fit together."""
        view_a, view_b, label = np.asarray(view_a, float), np.asarray(view_b, float), np.asarray(label)
        self._check(view_a, view_b, label)
        self.classes_ = np.unique(label)
        positive = self.classes_ if len(self.classes_) > 2 else self.classes_[1:]
        solved = [self._solve(view_a, view_b, np.where(label == one, 1.0, -1.0)) for one in positive]
        self.weight_a_, self.offset_a_, self.weight_b_, self.offset_b_ = map(np.array, zip(*solved, strict=True))
        return self

    def decision_function(self, view_a: np.ndarray) -> np.ndarray:
        """Scores from the first view: M of the second class, or M x K for more than two classes."""
        view_a = np.asarray(view_a, float)
        if view_a.ndim != 2 or view_a.shape[1] != self.weight_a_.shape[1]:
            raise ValueError(f"view_a is {view_a.shape}; learnt from rows of {self.weight_a_.shape[1]} features")
        score = view_a @ self.weight_a_.T + self.offset_a_
        return score if len(self.classes_) > 2 else score[:, 0]

    def predict(self, view_a: np.ndarray) -> np.ndarray:
        """The class of the highest score, M labels."""
        score = self.decision_function(view_a)
        return self.classes_[score.argmax(axis=1) if score.ndim == 2 else (score > 0).astype(int)]

    def _check(self, view_a: np.ndarray, view_b: np.ndarray, label: np.ndarray) -> None:
        if self.C <= 0 or self.similarity < 0 or self.epsilon < 0:
            raise ValueError(f"C must be positive, similarity and epsilon not negative: {self}")
        if view_a.ndim != 2 or view_b.ndim != 2 or label.ndim != 1:
            raise ValueError(f"N x A, N x B and N are needed, got {view_a.shape}, {view_b.shape} and {label.shape}")
        if not len(view_a) == len(view_b) == len(label):
            raise ValueError(f"the views are not paired: {len(view_a)}, {len(view_b)} rows, {len(label)} labels")
        if not (np.isfinite(view_a).all() and np.isfinite(view_b).all()):
            raise ValueError("a feature is not finite")
        if len(np.unique(label)) < 2:
            raise ValueError("there is only one class to learn")

    def _solve(self, view_a: np.ndarray, view_b: np.ndarray, y: np.ndarray) -> tuple:
        """w_a, b_a, w_b, b_b of one problem; y: N of +-1."""
        with_one = [np.column_stack([view, np.ones(len(y))]) for view in (view_a, view_b)]
        solution = _minimum(*self._programme(*with_one, y))
        first, second = np.split(solution[: sum(view.shape[1] for view in with_one)], [with_one[0].shape[1]])
        return first[:-1], first[-1], second[:-1], second[-1]

    def _programme(self, view_a: np.ndarray, view_b: np.ndarray, y: np.ndarray) -> tuple:
        """Curvature P, slope q, and A, b, number of equations: ``A z = b`` in the first rows, ``<= b`` in the others.

        z = (w_a, b_a, w_b, b_b; scores f of both views, 2N; xi, 2N; eta, N). The scores are variables of their own
        because then only the equations ``X w = f`` are dense: three times faster at 1000 rows of 100 features.
        """
        n, X = len(y), sparse.block_diag([view_a, view_b])
        one, both = sparse.identity(n), sparse.identity(2 * n)
        sign, apart = sparse.diags(np.tile(y, 2)), sparse.hstack([one, -one])
        A = sparse.bmat([
            [X, -both, None, None],  # the scores
            [None, -sign, -both, None],  # right by a margin of 1, or xi pays
            [None, apart, None, -one],  # alike to within epsilon, or eta pays
            [None, -apart, None, -one],
            [None, None, -both, None],
            [None, None, None, -one],
        ], format="csc")  # fmt: skip
        b = np.repeat([0.0, -1.0, self.epsilon, 0.0], [2 * n, 2 * n, 2 * n, 3 * n])
        penalised = np.r_[np.ones(view_a.shape[1] - 1), 0, np.ones(view_b.shape[1] - 1), 0, np.zeros(5 * n)]
        q = np.repeat([0.0, self.C, self.similarity], [X.shape[1] + 2 * n, 2 * n, n])
        return sparse.diags(penalised, format="csc"), q, A, b, 2 * n


def _minimum(P: sparse.csc_matrix, q: np.ndarray, A: sparse.csc_matrix, b: np.ndarray, equations: int) -> np.ndarray:
    """The z of least ``1/2 z P z + q z`` by an interior point method; raises RuntimeError where none was found."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads, settings.direct_solve_method = False, 1, "qdldl"
    cones = [clarabel.ZeroConeT(equations), clarabel.NonnegativeConeT(len(b) - equations)]
    solution = clarabel.DefaultSolver(P, q, A, b, cones, settings).solve()
    if solution.status != clarabel.SolverStatus.Solved:
        raise RuntimeError(f"the solver stopped without a minimum: {solution.status}")
    return np.array(solution.x)
