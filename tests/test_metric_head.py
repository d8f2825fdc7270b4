"""The two branches of Eq. 17 and the similarity H of Eq. 12 to 14: values, signs, where it starts, gradients."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from fercore.losses.metric import class_centres, radial, squared_distance
from fercore.networks.metric_head import BilinearSimilarity, QuadraticSimilarity, TwoBranchHead

KINDS = [BilinearSimilarity, QuadraticSimilarity]


def random_pair(d=5, n=6):
    torch.manual_seed(0)
    return torch.randn(2, n, d, dtype=torch.float64)


def shaken(kind, d=5):
    """A similarity with all of its parameters away from where they start."""
    torch.manual_seed(1)
    H = kind(d).double()
    with torch.no_grad():
        for parameter in H.parameters():
            parameter.add_(torch.randn_like(parameter))
    return H


def matrices(H):
    if isinstance(H, QuadraticSimilarity):
        return [((m + m.T) / 2).detach().numpy() for m in (H.A, H.B)]
    L_A, L_B = H.L_A.weight.detach().numpy(), H.L_B.weight.detach().numpy()
    return -L_A.T @ L_A, L_B.T @ L_B


def slow_form(f1, f2, A, B, c, b):
    d, total = len(f1), b
    for i in range(d):
        total += c[i] * (f1[i] + f2[i])
        for j in range(d):
            total += 0.5 * A[i][j] * (f1[i] * f1[j] + f2[i] * f2[j]) + f1[i] * B[i][j] * f2[j]
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_h_is_the_quadratic_form_of_equation_12(kind):
    H, (f1, f2) = shaken(kind), random_pair()
    rest = H.c.detach().numpy(), H.b.item()
    expected = [slow_form(x, y, *matrices(H), *rest) for x, y in zip(f1.numpy(), f2.numpy(), strict=True)]
    np.testing.assert_allclose(H(f1, f2).detach(), expected, rtol=1e-10)
    np.testing.assert_allclose(H(f2, f1).detach(), expected, rtol=1e-10)  # it does not know which is the centre
    everybody = H(f1[:, None], f2)
    assert everybody.shape == (6, 6) and torch.allclose(everybody.diagonal(), H(f1, f2))


@pytest.mark.parametrize("kind", KINDS)
def test_h_starts_as_b_less_a_distance(kind):
    f1, f2 = random_pair()
    L = torch.randn(3, 5, dtype=torch.float64)
    expected = 0.7 - squared_distance(f1 @ L.T, f2 @ L.T)
    torch.testing.assert_close(kind(5, L, b=0.7)(f1, f2), expected)
    torch.testing.assert_close(kind(5).double()(f1, f2), 1 - squared_distance(f1, f2) / 5)


def test_both_similarities_start_as_one_loss():
    f1, f2 = random_pair()
    V1, V0 = (radial(H(f1, f2), H(f1, f1.flip(0))) for H in (kind(5).double() for kind in KINDS))
    torch.testing.assert_close(V1, V0)


@pytest.mark.parametrize("kind", KINDS)
def test_h_is_positive_for_the_alike_and_falls_with_distance(kind):
    H, f1 = kind(4), torch.randn(4, generator=torch.Generator().manual_seed(0))
    further = f1 + torch.linspace(0, 3, 20)[:, None] * torch.ones(4)
    found = H(f1, further)
    assert found[0].item() == pytest.approx(1) and (found.diff() < 0).all() and found[-1] < 0


def test_the_factors_hold_the_signs_but_the_control_may_take_any():
    A, B = matrices(shaken(BilinearSimilarity))
    assert np.linalg.eigvalsh(A).max() <= 1e-12 and np.linalg.eigvalsh(B).min() >= -1e-12
    A, B = matrices(shaken(QuadraticSimilarity))
    assert np.linalg.eigvalsh(A).max() > 0.1 and np.linalg.eigvalsh(B).min() < -0.1


def test_signs_as_printed_make_h_grow_with_distance():
    """A positive and B negative semi-definite, Eq. 13: this is D - S, not the S - D of the text."""
    f1, L = np.ones(3), np.eye(3)
    printed = [slow_form(f1, f1 + s, 2 * L, -2 * L, np.zeros(3), 0) for s in (0, 1, 2)]
    assert printed == [0, 3, 12]


def test_versions_1_and_2_are_one_loss():
    H, (f, references) = shaken(BilinearSimilarity), random_pair()
    C = class_centres(f, torch.arange(6) % 3, 3).repeat(2, 1)
    A, B = matrices(H)
    rest = -H.c.detach().numpy(), -H.b.item()  # version 2, H' = D - S: every coefficient with its sign turned
    total = 0.0
    for q, r, centre in zip(f.numpy(), references.numpy(), C.numpy(), strict=True):
        total += max(0, 1 + slow_form(q, centre, -A, -B, *rest)) + max(0, 1 - slow_form(r, centre, -A, -B, *rest))
    assert radial(H(f, C), H(references, C)).item() == pytest.approx(total / 6, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_h_passes_gradcheck_and_all_its_parameters_learn(kind):
    H, (f1, f2) = shaken(kind), random_pair(n=2)
    assert gradcheck(H, (f1.requires_grad_(), f2.requires_grad_()))
    H(f1, f2).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in H.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_descent_on_the_radial_loss_brings_queries_in_and_references_out(kind):
    torch.manual_seed(0)
    f, references, label = torch.randn(6, 4), torch.randn(6, 4), torch.arange(3).repeat(2)
    H = kind(4)
    moving = [f.requires_grad_(), references.requires_grad_(), *H.parameters()]
    descent = torch.optim.SGD(moving, lr=0.05)
    for _ in range(300):
        C = class_centres(f, label, 3)[label]
        loss = radial(H(f, C), H(references, C))
        descent.zero_grad()
        loss.backward()
        descent.step()
    C = class_centres(f, label, 3)[label]
    assert loss < 0.01 and (H(f, C) > 0.9).all() and (H(references, C) < -0.9).all()


def test_the_head_is_equation_17():
    torch.manual_seed(0)
    head, h = TwoBranchHead(7, d_input=5, d_output=4, d_embedding=3).double(), torch.randn(9, 7).double()
    P = head.connecting.weight.detach().T.numpy()  # 2 D_in x D_out
    P1, P2 = P[:5], P[5:]
    o, f = head(h)
    for n in range(9):
        first, second = (
            np.maximum(0, layer.weight.detach().numpy() @ h[n].numpy() + layer.bias.detach().numpy())
            for layer in (head.expression, head.metric)
        )
        joined = np.maximum(0, P1.T @ first + P2.T @ second)
        np.testing.assert_allclose(f[n].detach(), head.embedding(torch.tensor(joined)).detach(), rtol=1e-9)
        np.testing.assert_allclose(o[n].detach(), first, rtol=1e-9)


def test_the_classifier_needs_the_expression_branch_alone():
    torch.manual_seed(0)
    head, h = TwoBranchHead(7, 5, 4, 3), torch.randn(2, 7)
    torch.testing.assert_close(head.feature(h), head(h)[0])
    head(h)[0].sum().backward()
    learn = {name.split(".")[0] for name, p in head.named_parameters() if p.grad is not None}
    assert learn == {"expression"}
    head(h)[1].square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in head.parameters())


def test_widths_of_the_head_by_default():
    with torch.device("meta"):
        head = TwoBranchHead(4608)
    shapes = {name: tuple(p.shape) for name, p in head.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "expression.weight": (512, 4608),
        "metric.weight": (512, 4608),
        "connecting.weight": (256, 1024),
        "embedding.weight": (128, 256),
    }
