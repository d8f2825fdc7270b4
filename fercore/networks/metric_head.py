"""What stands on the convolutions of IDFERM: two branches of full layers, and the similarity H of two embeddings."""

import torch
from torch import Tensor, nn


class ExpressionBranch(nn.Module):
    """What a classifier needs of the head, B x inputs -> o, B x ``d_input``."""

    def __init__(self, inputs: int, d_input: int = 512):
        super().__init__()
        self.expression = nn.Linear(inputs, d_input)  # FC_2-2

    def feature(self, h: Tensor) -> Tensor:
        """o of the expression branch, B x d_input; a test image needs no more (IDFERM, Sec. 5.3)."""
        return self.expression(h).relu()


class TwoBranchHead(ExpressionBranch):
    """Expression branch and metric branch, joined by the connecting layer of Eq. 17; B x inputs -> o, f.

    ``FC_2-4 = P^t [FC_2-2; FC_2-3]``. Widths are not stated. ReLU stands behind FC_2-2, FC_2-3 and FC_2-4: without the
    last one the connecting layer and the second metric layer would be one linear map.
    """

    def __init__(self, inputs: int, d_input: int = 512, d_output: int = 256, d_embedding: int = 128):
        super().__init__(inputs, d_input)
        self.metric = nn.Linear(inputs, d_input)  # FC_2-3
        self.connecting = nn.Linear(2 * d_input, d_output, bias=False)  # P
        self.embedding = nn.Linear(d_output, d_embedding)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """What the classifier sees, o, B x d_input, and the embedding f, B x d; h: B x inputs."""
        o = self.feature(h)
        both = torch.cat([o, self.metric(h).relu()], 1)
        return o, self.embedding(self.connecting(both).relu())


def metric_start(size: int) -> Tensor:
    """L = 1 / sqrt(d): the distance of which H starts is then a mean over the components of f; not stated; d x d."""
    return torch.eye(size) / size**0.5


class BilinearSimilarity(nn.Module):
    """H = S - D of two embeddings by linear layers (IDFERM, Eq. 14 with the signs that Eq. 8 asks for).

    ``H = -1/2 |L_A f1|^2 - 1/2 |L_A f2|^2 + (L_B f1) . (L_B f2) + c . (f1 + f2) + b``. Printed is +1/2 twice with a
    negative last matrix, which is D - S. It starts with L_A = L_B = sqrt(2) L and c = 0: H = b - |L (f1 - f2)|^2.
    L: r x d, by default ``metric_start``; b: the squared distance at which H starts to be positive, not stated.
    """

    def __init__(self, size: int, L: Tensor | None = None, b: float = 1.0):
        super().__init__()
        L = metric_start(size) if L is None else L
        self.L_A, self.L_B = (nn.Linear(size, len(L), bias=False) for _ in range(2))
        for layer in (self.L_A, self.L_B):
            layer.weight = nn.Parameter(2**0.5 * L)
        self.c = nn.Parameter(torch.zeros_like(L[0]))
        self.b = nn.Parameter(torch.full_like(L[0, 0], b))

    def forward(self, f1: Tensor, f2: Tensor) -> Tensor:
        """H(f1, f2), ...; both ... x d, broadcast against each other."""
        norms = self.L_A(f1).square().sum(-1) + self.L_A(f2).square().sum(-1)
        return -0.5 * norms + (self.L_B(f1) * self.L_B(f2)).sum(-1) + (f1 + f2) @ self.c + self.b


class QuadraticSimilarity(nn.Module):
    """H by any two symmetric matrices (IDFERM, Eq. 12): the control, whose H need not fall with distance.

    ``H = 1/2 f1' A f1 + 1/2 f2' A f2 + f1' B f2 + c . (f1 + f2) + b``; starts as ``BilinearSimilarity`` does. Only the
    symmetric parts of A and B (d x d) count.
    """

    def __init__(self, size: int, L: Tensor | None = None, b: float = 1.0):
        super().__init__()
        L = metric_start(size) if L is None else L
        M = L.T @ L
        self.A, self.B = nn.Parameter(-2 * M), nn.Parameter(2 * M)
        self.c = nn.Parameter(torch.zeros_like(L[0]))
        self.b = nn.Parameter(torch.full_like(L[0, 0], b))

    def forward(self, f1: Tensor, f2: Tensor) -> Tensor:
        """H(f1, f2), ...; both ... x d, broadcast against each other."""
        A, B = ((matrix + matrix.T) / 2 for matrix in (self.A, self.B))
        own = (f1 @ A * f1).sum(-1) + (f2 @ A * f2).sum(-1)
        return 0.5 * own + (f1 @ B * f2).sum(-1) + (f1 + f2) @ self.c + self.b
