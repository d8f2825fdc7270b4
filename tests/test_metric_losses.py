"""IDFERM's metric losses against slow loops, hand values and their properties."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import grad, gradcheck

from fercore.losses import metric
from fercore.losses.comparisons import comparisons
from fercore.losses.mined import n_pair, triplet

LABEL = [0, 1, 2, 0, 1, 2, 1]
SUBJECT = [5, 5, 5, 6, 6, 7, 7]


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


@pytest.fixture
def f(numbers):
    return numbers.normal(size=(len(LABEL), 3))


def t(values, **kwargs) -> torch.Tensor:
    return torch.tensor(np.asarray(values), **kwargs)


def D(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def members(k):
    return [i for i, y in enumerate(LABEL) if y == k]


def slow_centre(f, rows):
    return [sum(f[i][j] for i in rows) / len(rows) for j in range(len(f[0]))]


def slow_radial(own, reference, pushed, margin):
    total = 0.0
    for h, r, counts in zip(own, reference, pushed, strict=True):
        total += max(0, margin - h) + (max(0, margin + r) if counts else 0)
    return total / len(own)


def slow_clusters(h, margin):
    """h: of each query's centre (row) and each image; the number of comparisons too."""
    total, count = 0.0, 0
    for q in range(len(LABEL)):
        near = [i for i in range(len(LABEL)) if LABEL[i] == LABEL[q]]
        far = [i for i in range(len(LABEL)) if SUBJECT[i] == SUBJECT[q] and LABEL[i] != LABEL[q]]
        total += sum(max(0, margin - h[q][i]) for i in near) / len(near)
        total += sum(max(0, margin + h[q][i]) for i in far) / len(far) if far else 0
        count += len(near) + len(far)
    return total / len(LABEL), count


def slow_coupled_clusters(f, margin):
    total = 0.0
    for k in range(3):
        c = slow_centre(f, members(k))
        nearest = min(D(f[i], c) for i in range(len(f)) if LABEL[i] != k)
        total += sum(0.5 * max(0, D(f[i], c) + margin - nearest) for i in members(k)) / len(members(k))
    return total / 3


def slow_triplet(f, margin):
    found = [
        max(0, D(f[a], f[p]) - D(f[a], f[n]) + margin)
        for a in range(len(f)) for p in range(len(f)) for n in range(len(f))
        if a != p and LABEL[a] == LABEL[p] and LABEL[a] != LABEL[n]
    ]  # fmt: skip
    return sum(found) / len(found), len(found)


def slow_n_pair(f):
    total, count = 0.0, 0
    for k in range(3):
        anchor, positive = members(k)[:2]
        negatives = [members(j)[1] for j in range(3) if j != k]
        total += math.log(1 + sum(math.exp(f[anchor] @ f[n] - f[anchor] @ f[positive]) for n in negatives))
        count += len(negatives)
    return total / 3, count


def test_centres_are_means_of_the_batchs_queries_of_a_class(f):
    found = metric.class_centres(t(f), t(LABEL), 4)
    for k in range(3):
        np.testing.assert_allclose(found[k], slow_centre(f, members(k)), rtol=1e-12)
    assert (found[3] == 0).all()  # nobody shows class 3
    unlabelled = torch.cat([t(f), torch.full((1, 3), 9.0)])
    torch.testing.assert_close(metric.class_centres(unlabelled, t([*LABEL, -1]), 4), found)


def test_a_centre_hands_its_gradient_to_its_queries_in_equal_parts(f):
    queries = t(f, requires_grad=True)
    metric.class_centres(queries, t(LABEL), 3)[1].sum().backward()
    expected = [[1 / 3] * 3 if y == 1 else [0] * 3 for y in LABEL]
    np.testing.assert_allclose(queries.grad, expected, rtol=1e-12)


def test_a_reference_moves_the_centre_of_its_query_but_enters_none(numbers, f):
    queries, references = t(f, requires_grad=True), t(numbers.normal(size=f.shape), requires_grad=True)
    C = metric.class_centres(queries, t(LABEL), 3)
    of_queries, of_references = grad(metric.outside(1 - metric.squared_distance(references, C[t(LABEL)]), margin=50.0),
                                     (queries, references))  # fmt: skip
    expected = -2 * (references - C[t(LABEL)]).detach() / len(LABEL)  # descent: away from the centre
    torch.testing.assert_close(of_references, expected)
    for k in range(3):  # and the centre away from them, by way of its queries
        torch.testing.assert_close(of_queries[members(k)].sum(0), -expected[members(k)].sum(0))


@pytest.mark.parametrize("margin", [0.3, 1.0, 4.0])
def test_radial_is_equation_16(numbers, margin):
    own, reference = numbers.normal(0, 2, size=(2, 9))
    pushed = numbers.uniform(size=9) < 0.6
    everybody = slow_radial(own, reference, [True] * 9, margin)
    assert metric.radial(t(own), t(reference), margin=margin).item() == pytest.approx(everybody, rel=1e-12)
    some = metric.radial(t(own), t(reference), t(pushed), margin)
    assert some.item() == pytest.approx(slow_radial(own, reference, pushed, margin), rel=1e-12)


def test_equation_8_is_equation_15(numbers, f):
    """S - D as one quadratic form; as printed (A + 2M, B + 2M) it is neither S - D nor S + D."""
    d, tau = 3, 1.4
    A, B, M = (m + m.T for m in numbers.normal(size=(3, d, d)))
    M, c, b = M @ M, numbers.normal(size=d), 0.3
    references = numbers.normal(size=f.shape)

    def quadratic(x, y, A, B, c=c, b=b):
        return 0.5 * x @ A @ x + 0.5 * y @ A @ y + x @ B @ y + c @ (x + y) + b

    total, own, pushed = 0.0, [], []
    for q, r, y in zip(f, references, LABEL, strict=True):
        C = np.array(slow_centre(f, members(y)))
        distance, threshold = [(x - C) @ M @ (x - C) for x in (q, r)], [quadratic(x, C, A, B) for x in (q, r)]
        total += max(0, distance[0] - (threshold[0] - tau / 2)) + max(0, threshold[1] + tau / 2 - distance[1])
        own.append(quadratic(q, C, A - 2 * M, B + 2 * M))
        pushed.append(quadratic(r, C, A - 2 * M, B + 2 * M))
        assert own[-1] == pytest.approx(threshold[0] - distance[0])
        printed = quadratic(q, C, A + 2 * M, B + 2 * M)
        assert abs(printed - own[-1]) > 0.1 and abs(printed - threshold[0] - distance[0]) > 0.1
    assert metric.radial(t(own), t(pushed), margin=tau / 2).item() == pytest.approx(total / len(f), rel=1e-9)


def test_h_or_its_negative_with_signs_exchanged_is_one_loss(numbers):
    own, reference = numbers.normal(size=(2, 9))
    V2 = np.mean([max(0, 1 + h) + max(0, 1 - r) for h, r in zip(-own, -reference, strict=True)])  # H' = D - S
    assert metric.radial(t(own), t(reference)).item() == pytest.approx(V2, rel=1e-12)


def test_radial_draws_queries_in_and_pushes_references_out_but_as_printed_would_push_queries_out(numbers):
    own, reference = (t(h, requires_grad=True) for h in numbers.uniform(-0.9, 0.9, size=(2, 5)))
    of_own, of_reference = grad(metric.radial(own, reference), (own, reference))
    assert of_own.tolist() == pytest.approx([-1 / 5] * 5) and of_reference.tolist() == pytest.approx([1 / 5] * 5)
    printed = ((1 + own).clamp(min=0) + (own + 1).clamp(min=0)).mean()
    assert grad(printed, own)[0].tolist() == pytest.approx([2 / 5] * 5)  # down with H of a query and its own centre
    assert metric.radial(own + 9, reference - 9) == 0


def test_a_reference_that_is_not_pushed_has_no_influence(numbers):
    reference = t(numbers.uniform(-0.9, 0.9, size=4), requires_grad=True)
    metric.outside(reference, t([True, False, True, False])).backward()
    assert reference.grad.tolist() == [0.25, 0, 0.25, 0]
    assert metric.outside(reference, torch.zeros(4, dtype=bool)) == 0


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_clusters_is_the_mean_over_queries_of_two_means(numbers, margin):
    h = numbers.normal(0, 2, size=(len(LABEL),) * 2)
    found = metric.clusters(t(h), *metric.tuplets(t(LABEL), t(SUBJECT)), margin)
    assert found.item() == pytest.approx(slow_clusters(h, margin)[0], rel=1e-12)


def test_clusters_does_not_need_negatives():
    h, everybody = t([[0.25, -1.0]]), torch.ones(1, 2, dtype=bool)
    assert metric.clusters(h, everybody, ~everybody) == (0.75 + 2) / 2
    assert metric.clusters(h, ~everybody, everybody) == (1.25 + 0) / 2


@pytest.mark.parametrize("margin", [0.5, 5.0])
def test_coupled_clusters_is_the_hinge_to_the_nearest_negative(f, margin):
    member = torch.arange(3)[:, None] == t(LABEL)
    found = metric.coupled_clusters(t(f), member, ~member, margin)
    assert found.item() == pytest.approx(slow_coupled_clusters(f, margin), rel=1e-12)


def test_coupled_clusters_without_negatives_is_zero_with_a_zero_gradient(f):
    embedding, everybody = t(f, requires_grad=True), torch.ones(1, len(f), dtype=bool)
    loss = metric.coupled_clusters(embedding, everybody, ~everybody, 1.0)
    assert loss == 0 and (grad(loss, embedding)[0] == 0).all()


@pytest.mark.parametrize("margin", [0.0, 0.5, 50.0])
def test_triplet_is_the_mean_over_all_triplets(f, margin):
    assert triplet(t(f), t(LABEL), margin).item() == pytest.approx(slow_triplet(f, margin)[0], rel=1e-9)


def test_n_pair_is_the_mean_over_classes_of_the_formula(f):
    assert n_pair(t(f), t(LABEL)).item() == pytest.approx(slow_n_pair(f)[0], rel=1e-12)


def test_centre_loss_is_half_the_squared_distance(f):
    C = metric.class_centres(t(f), t(LABEL), 3)
    expected = np.mean([0.5 * D(row, slow_centre(f, members(y))) for row, y in zip(f, LABEL, strict=True)])
    assert metric.centre(t(f), t(LABEL), C).item() == pytest.approx(expected, rel=1e-12)
    at_zero = metric.radial(0 - 2 * metric.squared_distance(t(f), C[t(LABEL)]), torch.full((7,), -9.0), margin=0)
    assert at_zero.item() == pytest.approx(4 * expected)  # Eq. 8 at T = tau / 2: a radius of zero


def test_hand_values():
    f, label = t([[0.0], [2.0], [3.0], [7.0]]), t([0, 0, 1, 1])
    member = torch.arange(2)[:, None] == label
    assert metric.class_centres(f, label, 2).flatten().tolist() == [1, 5]
    assert metric.class_centres(f, t([0, 1, -1, 2]), 3).flatten().tolist() == [0, 2, 7]  # one image is its own centre
    assert metric.squared_distance(f[0], f[1]) == 4 and metric.centre(f, label, t([[1.0], [5.0]])) == 1.25
    assert metric.inside(t([0.5, 3.0])) == 0.25 and metric.outside(t([0.5, -3.0])) == 0.75
    assert metric.coupled_clusters(f, member, ~member, 0.0) == 0  # 1 < 4 and 4 < 9
    assert metric.coupled_clusters(f, member, ~member, 6.0) == (1.5 + 0.5) / 2
    assert triplet(f, label, 0.0).item() == pytest.approx((4 - 1 + 16 - 9 + 16 - 1) / 8)
    assert n_pair(torch.zeros(4, 1), label).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("label", [[0, 0, 0], [0, 1, 2]])
def test_mined_losses_without_a_tuple_are_zero_with_a_zero_gradient(label):
    f = torch.randn(3, 2, requires_grad=True)
    for loss in (triplet(f, t(label), 1.0), n_pair(f, t(label))):
        assert loss == 0 and (grad(loss, f)[0] == 0).all()


def on_a_circle(plane, angles, radius=1000.0):
    """Points of one length, so that scalar products rank them as distances do; two coordinates for each plane."""
    points = torch.zeros(len(angles), 4, dtype=torch.float64)
    points[:, 2 * plane] = radius * torch.cos(t(angles))
    points[:, 2 * plane + 1] = radius * torch.sin(t(angles))
    return points


def test_where_relative_losses_are_content_and_clusters_is_not():
    """Figure 3: every positive is nearer to its anchor than every negative, but no one threshold tells them apart."""
    wide, narrow = on_a_circle(0, [0, 0.02, 0.045, 0.065]), on_a_circle(1, [0, 0.001, 0.010, 0.011])
    f, label, subject = torch.cat([wide, narrow]), t([0, 0, 1, 1, 2, 2, 3, 3]), t([0] * 4 + [1] * 4)
    member = torch.arange(4)[:, None] == label
    assert triplet(f, label, 1.0) == 0
    assert n_pair(f, label).item() == pytest.approx(0, abs=1e-12)  # a logarithm of more than 1: never quite
    assert metric.coupled_clusters(f, member, ~member, 1.0) == 0
    distance = metric.squared_distance(metric.class_centres(f, label, 4)[label][:, None], f)
    for T in np.linspace(0, 2000, 401):
        assert metric.clusters(T - distance, *metric.tuplets(label, subject)) > 0.1
    alone, tuplets = distance[:4, :4], metric.tuplets(label[:4], subject[:4])
    assert metric.clusters(500 - alone, *tuplets) == 0  # one scale alone has its threshold


def test_comparisons_are_counted(f):
    found = comparisons(t(LABEL), t(SUBJECT))
    assert found == {
        "triplet": slow_triplet(f, 1.0)[1],
        "n_pair": slow_n_pair(f)[1],
        "coupled_clusters": 3 * len(LABEL),
        "clusters": slow_clusters(np.zeros((7, 7)), 1.0)[1],
        "centre": len(LABEL),
        "radial": 2 * len(LABEL),
    }
    assert comparisons(t(LABEL), t(SUBJECT), t(LABEL) != 1)["radial"] == 7 + 4  # class 1 is neutral


def test_comparisons_grow_with_the_batch_as_the_paper_says():
    """Twice the classes: 2 times radial, 4 times coupled clusters; twice the images of each: 8 times the triplets."""
    counts = {}
    for classes, people in ((6, 2), (12, 2), (6, 50), (6, 100)):
        label, subject = torch.arange(classes).repeat(people), torch.arange(people).repeat_interleave(classes)
        counts[classes, people] = comparisons(label, subject)
    assert counts[6, 2]["radial"] == 2 * 12 and counts[6, 2]["clusters"] == 12 * (2 + 5)
    growth = {name: counts[12, 2][name] / counts[6, 2][name] for name in counts[6, 2]}
    assert growth["radial"] == growth["centre"] == 2 and growth["coupled_clusters"] == 4
    assert counts[6, 100]["triplet"] / counts[6, 50]["triplet"] == pytest.approx(8, rel=0.02)


def test_losses_pass_gradcheck(f):
    embedding, label = t(f, requires_grad=True), t(LABEL)
    h = torch.randn(7, 7, dtype=torch.float64, requires_grad=True)
    member = torch.arange(3)[:, None] == label
    pushed = label != 1
    assert gradcheck(lambda f: metric.class_centres(f, label, 3), (embedding,))
    assert gradcheck(lambda a, b: metric.radial(a, b, pushed), (h[0], h[1]))
    assert gradcheck(lambda h: metric.clusters(h, *metric.tuplets(label, t(SUBJECT))), (h,))
    assert gradcheck(lambda f: metric.coupled_clusters(f, member, ~member, 2.0), (embedding,))
    assert gradcheck(lambda f: metric.centre(f, label, metric.class_centres(f, label, 3)), (embedding,))
    assert gradcheck(lambda f: triplet(f, label, 1.0), (embedding,))
    assert gradcheck(lambda f: n_pair(f, label), (embedding,))
