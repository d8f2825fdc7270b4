"""SVM-2K against its own objective in plain loops, a solver of single SVMs, and its two limits."""

import numpy as np
import pytest
from sklearn.svm import SVC

from fercore.compared.svm2k import SVM2K


def two_views(classes: int, n: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """N x 5, N x 4 and N overlapping classes, which both views show with noise of their own."""
    numbers = np.random.default_rng(seed)
    latent = numbers.normal(size=(n, classes))
    view_a, view_b = (latent @ numbers.normal(size=(classes, d)) + numbers.normal(size=(n, d)) for d in (5, 4))
    return view_a, view_b, np.array(["anger", "fear", "joy"])[latent.argmax(axis=1)]


def parameters(model: SVM2K, problem: int = 0) -> list[np.ndarray]:
    return [model.weight_a_[problem], model.offset_a_[problem], model.weight_b_[problem], model.offset_b_[problem]]


def slow_objective(model: SVM2K, w_a, b_a, w_b, b_b, view_a, view_b, y) -> float:
    total = 0.5 * sum(w**2 for w in w_a) + 0.5 * sum(w**2 for w in w_b)
    for x_a, x_b, sign in zip(view_a, view_b, y, strict=True):
        f_a = sum(w * x for w, x in zip(w_a, x_a, strict=True)) + b_a
        f_b = sum(w * x for w, x in zip(w_b, x_b, strict=True)) + b_b
        total += model.C * (max(0, 1 - sign * f_a) + max(0, 1 - sign * f_b))
        total += model.similarity * max(0, abs(f_a - f_b) - model.epsilon)
    return total


@pytest.mark.parametrize("C", [0.03, 1.0])
def test_without_similarity_it_is_a_linear_svm_per_view(C):
    view_a, view_b, label = two_views(2)
    model = SVM2K(C, similarity=0.0).fit(view_a, view_b, label)
    alone_a, alone_b = (SVC(kernel="linear", C=C, tol=1e-9).fit(view, label) for view in (view_a, view_b))
    np.testing.assert_allclose(model.decision_function(view_a), alone_a.decision_function(view_a), atol=1e-5)
    score_b = view_b @ model.weight_b_[0] + model.offset_b_[0]
    np.testing.assert_allclose(score_b, alone_b.decision_function(view_b), atol=1e-5)
    assert model.predict(view_a).tolist() == alone_a.predict(view_a).tolist()


def test_more_than_two_classes_are_each_against_the_rest():
    view_a, view_b, label = two_views(3)
    model = SVM2K(0.5, similarity=0.0).fit(view_a, view_b, label)
    alone = [SVC(kernel="linear", C=0.5, tol=1e-9).fit(view_a, label == one) for one in ("anger", "fear", "joy")]
    expected = np.stack([one.decision_function(view_a) for one in alone], axis=1)
    np.testing.assert_allclose(model.decision_function(view_a), expected, atol=1e-5)
    assert model.predict(view_a).tolist() == model.classes_[expected.argmax(axis=1)].tolist()


@pytest.mark.parametrize(("C", "similarity", "epsilon"), [(1.0, 0.5, 0.0), (0.2, 0.2, 0.1), (0.1, 3.0, 0.5)])
@pytest.mark.parametrize("classes", [2, 3])
def test_no_small_step_improves_the_objective(C, similarity, epsilon, classes):
    view_a, view_b, label = two_views(classes)
    model = SVM2K(C, similarity, epsilon).fit(view_a, view_b, label)
    numbers = np.random.default_rng(1)
    for problem, one in enumerate(model.classes_ if classes > 2 else model.classes_[1:]):
        found, y = parameters(model, problem), np.where(label == one, 1, -1)
        least = slow_objective(model, *found, view_a, view_b, y)
        for size in (1e-3, 1e-2, 0.1, 1.0):
            for _ in range(10):
                moved = [value + size * numbers.normal(size=np.shape(value)) for value in found]
                assert slow_objective(model, *moved, view_a, view_b, y) > least - 1e-6


def test_swapped_views_swap_the_solution():
    view_a, view_b, label = two_views(2)
    model, swapped = SVM2K(1, 0.5, 0.1).fit(view_a, view_b, label), SVM2K(1, 0.5, 0.1).fit(view_b, view_a, label)
    np.testing.assert_allclose(model.weight_a_, swapped.weight_b_, atol=1e-5)
    np.testing.assert_allclose(model.weight_b_, swapped.weight_a_, atol=1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_huge_similarity_makes_the_views_agree_to_within_epsilon(epsilon):
    view_a, view_b, label = two_views(2)
    view_a[:, :4] = view_b + 0.1 * view_a[:, :4]  # views that can agree
    apart = {}
    for similarity in (0.0, 1e4):
        model = SVM2K(1.0, similarity, epsilon).fit(view_a, view_b, label)
        score_b = view_b @ model.weight_b_[0] + model.offset_b_[0]
        apart[similarity] = np.abs(model.decision_function(view_a) - score_b).max()
    assert apart[1e4] <= epsilon + 1e-6 and apart[0.0] > epsilon + 0.1
    if epsilon:
        assert apart[1e4] > epsilon - 1e-3  # what costs nothing is used


def test_the_second_view_teaches_and_is_not_needed_to_predict():
    """The first view shows the class faintly, the second clearly; their agreement is worth something in new rows."""
    numbers, gained = np.random.default_rng(0), []
    for _ in range(20):
        y, latent = np.repeat([-1, 1], 200), numbers.normal(size=(400, 20))
        latent[:, 0] += 1.5 * y
        view_a, view_b = latent + 0.5 * numbers.normal(size=latent.shape), latent[:, :1]
        train = numbers.permutation(400) < 40
        scores = [
            (SVM2K(1.0, similarity).fit(view_a[train], view_b[train], y[train]).predict(view_a[~train]) == y[~train])
            for similarity in (0.0, 1.0)
        ]
        gained.append(scores[1].mean() - scores[0].mean())
    assert np.mean(gained) > 2 * np.std(gained) / np.sqrt(len(gained))


def test_same_rows_give_the_same_bits():
    rows = two_views(3)
    first, second = (SVM2K(1, 1, 0.1).fit(*rows).decision_function(rows[0]) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda a, b, y: (a[:-1], b, y), "not paired"),
        (lambda a, b, y: (a, b[:-1], y), "not paired"),
        (lambda a, b, y: (a, b, y[:-1]), "not paired"),
        (lambda a, b, y: (a[:, 0], b, y), "N x A"),
        (lambda a, b, y: (a, b[None], y), "N x A"),
        (lambda a, b, y: (a, b, y[:, None]), "N x A"),
        (lambda a, b, y: (a, b, np.full_like(y, "joy")), "one class"),
        (lambda a, b, y: (a, np.where(b > 1, np.nan, b), y), "not finite"),
    ],
)
def test_wrong_rows_are_refused_in_words(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        SVM2K().fit(*change(*two_views(2)))


@pytest.mark.parametrize("settings", [{"C": 0.0}, {"similarity": -1.0}, {"epsilon": -0.1}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValueError, match="must be positive"):
        SVM2K(**settings).fit(*two_views(2))


@pytest.mark.parametrize("tested", [np.zeros((3, 4)), np.zeros(5)])
def test_other_features_than_the_learnt_ones_are_refused(tested):
    with pytest.raises(ValueError, match="learnt from rows of 5 features"):
        SVM2K().fit(*two_views(2)).predict(tested)
