"""The compared systems of two views: what they learn, from which rows, and what they need to be told."""

import numpy as np
import pytest

from fercore.compared import two_views
from fercore.compared.two_views import SYSTEMS

CLASSES = np.array(["anger", "joy", "pain"])


def faces(n: int, seed: int, shuffled: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """N x 60 visible and thermal features of other scales, and N labels that both show."""
    fixed, numbers = np.random.default_rng(99), np.random.default_rng(seed)
    label = numbers.integers(3, size=n)
    latent = 2 * np.eye(3)[label] + 0.4 * numbers.normal(size=(n, 3))
    visible, thermal = (
        scale * (latent @ fixed.normal(size=(3, 60)) + 0.5 * numbers.normal(size=(n, 60)) + 3) for scale in (0.01, 50)
    )
    return visible, thermal, CLASSES[numbers.permutation(label) if shuffled else label]


@pytest.fixture(autouse=True)
def short_training(monkeypatch):
    class Short(two_views.DeepCCA):
        def __init__(self, dimensions, autoencoding):
            super().__init__(dimensions, autoencoding, epochs=50)

    monkeypatch.setattr(two_views, "DeepCCA", Short)


@pytest.mark.parametrize("name", SYSTEMS)
def test_classes_that_both_views_show_are_recognised_from_the_visible_one(name):
    tested, _, label = faces(200, seed=1)
    predicted = SYSTEMS[name](*faces(240, seed=0), tested)
    assert predicted.shape == (200,) and predicted.dtype.kind == "U"
    assert (predicted == label).mean() > 0.9


@pytest.mark.parametrize("name", SYSTEMS)
def test_shuffled_labels_leave_chance(name):
    tested, _, label = faces(300, seed=1)
    assert abs((SYSTEMS[name](*faces(240, seed=0, shuffled=True), tested) == label).mean() - 1 / 3) < 0.2


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_tested_row_is_predicted_alone(name):
    """Tested rows take no part in scaling, in components or in correlations."""
    train, (tested, _, _) = faces(120, seed=0), faces(40, seed=1)
    whole = SYSTEMS[name](*train, tested)
    strange = np.concatenate([tested[:20], 100 * tested[20:]])
    assert (SYSTEMS[name](*train, strange)[:20] == whole[:20]).all()
    assert (SYSTEMS[name](*train, tested[::-1])[::-1] == whole).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_features_may_have_any_scale_and_any_constant_column(name):
    (visible, thermal, label), (tested, _, _) = faces(120, seed=0), faces(40, seed=1)
    expected = SYSTEMS[name](visible, thermal, label, tested)
    visible, thermal, tested = (
        np.column_stack([1000 * view - 5, np.ones(len(view))]) for view in (visible, thermal, tested)
    )
    assert (SYSTEMS[name](visible, thermal, label, tested) == expected).mean() > 0.95


@pytest.mark.parametrize("name", SYSTEMS)
def test_pairs_matter(name, monkeypatch):
    """The thermal rows of other faces make another model."""
    learnt = []

    def keep(self, view_a, view_b, *rest, original):
        result = original(self, view_a, view_b, *rest)
        learnt.append(self.decision_function(view_a) if rest else self.transform(view_a))
        return result

    for system in (two_views.SVM2K, two_views.DeepCCA):
        monkeypatch.setattr(
            system, "fit", lambda self, *given, original=system.fit: keep(self, *given, original=original)
        )
    visible, thermal, label = faces(120, seed=0)
    SYSTEMS[name](visible, thermal, label, visible)
    SYSTEMS[name](visible, thermal[::-1], label, visible)
    assert len(learnt) == 2 and not np.allclose(*learnt)


@pytest.mark.parametrize("name", SYSTEMS)
def test_few_rows_and_few_features_need_no_other_settings(name):
    visible, thermal, label = faces(30, seed=0)
    assert set(SYSTEMS[name](visible, thermal[:, :4], label, visible)) <= set(CLASSES)


@pytest.mark.parametrize("name", SYSTEMS)
def test_views_that_are_not_paired_and_one_class_are_refused(name):
    visible, thermal, label = faces(40, seed=0)
    with pytest.raises(ValueError):
        SYSTEMS[name](visible, thermal[:-1], label, visible)
    with pytest.raises(ValueError):
        SYSTEMS[name](visible, thermal, np.full(40, "joy"), visible)


def test_the_two_deep_systems_differ_by_autoencoding(monkeypatch):
    asked = []

    class Spy(two_views.DeepCCA):
        def __init__(self, dimensions, autoencoding):
            asked.append(autoencoding)
            super().__init__(dimensions, autoencoding)

    monkeypatch.setattr(two_views, "DeepCCA", Spy)
    visible, thermal, label = faces(40, seed=0)
    for name in ("DCCA+SVM", "DCCAE+SVM"):
        SYSTEMS[name](visible, thermal, label, visible)
    assert asked[0] == 0 and asked[1] > 0
