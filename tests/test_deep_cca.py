"""Deep CCA finds what two views share: in new rows, of linear and of curved relations, the same at every call."""

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA

from fercore.compared.deep_cca import DeepCCA

SHARED = 3


def two_views(n: int = 500, curved: bool = False, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """N x 20 and N x 15 mixtures of three shared variables, of which the second view may see magnitudes only."""
    fixed, numbers = np.random.default_rng(99), np.random.default_rng(seed)
    latent = numbers.normal(size=(n, SHARED))
    seen = np.abs(latent) - 0.8 if curved else latent
    mixed = [part @ fixed.normal(size=(SHARED, d)) for part, d in ((latent, 20), (seen, 15))]
    return tuple(view + 0.5 * numbers.normal(size=view.shape) for view in mixed)


def learnt(view_a: np.ndarray, view_b: np.ndarray, **settings) -> tuple[DeepCCA, DeepCCA]:
    """One model per view to look from: the same pair of networks where the views are the same."""
    return DeepCCA(**settings).fit(view_a, view_b), DeepCCA(**settings).fit(view_b, view_a)


def shown(code: np.ndarray, latent: np.ndarray) -> float:
    """Mean canonical correlation of N x D outputs with N x D others (linear CCA on the same rows)."""
    one, other = CCA(SHARED, max_iter=5000).fit(code, latent).transform(code, latent)
    return np.mean([np.corrcoef(one[:, k], other[:, k])[0, 1] for k in range(SHARED)])


@pytest.mark.parametrize("autoencoding", [0.0, 0.5])
def test_linear_relations_are_found_about_as_well_as_by_linear_cca(autoencoding):
    train, test = two_views(seed=0), two_views(2000, seed=1)
    from_a, from_b = learnt(*train, dimensions=SHARED, autoencoding=autoencoding)
    deep = shown(from_a.transform(test[0]), from_b.transform(test[1]))
    linear = np.mean([
        np.corrcoef(*pair)[0, 1] for pair in zip(*(v.T for v in CCA(SHARED).fit(*train).transform(*test)), strict=True)
    ])  # fmt: skip
    numbers = np.random.default_rng(2)
    drawn = shown(*(view @ numbers.normal(size=(view.shape[1], SHARED)) for view in test))
    assert deep > linear - 0.03 and deep > drawn + 0.1


def test_curved_relations_are_found_where_linear_cca_is_blind():
    train, test = two_views(1000, curved=True, seed=0), two_views(2000, curved=True, seed=1)
    from_a = DeepCCA(dimensions=SHARED).fit(*train)
    linear = CCA(SHARED, max_iter=5000).fit(*train)
    assert shown(from_a.transform(test[0]), test[1]) > shown(linear.transform(test[0]), test[1]) + 0.4


def test_variates_of_the_training_rows_are_uncorrelated_of_variance_one_and_most_shared_first():
    view_a, view_b = two_views()
    code = DeepCCA(dimensions=4).fit(view_a, view_b).transform(view_a)
    np.testing.assert_allclose(np.cov(code.T), np.eye(4), atol=1e-6)
    np.testing.assert_allclose(code.mean(axis=0), 0, atol=1e-8)


def test_loss_is_the_documented_sum_of_two_parts():
    """minus the squared canonical correlations, by eigenvalues in NumPy, and the mean squared error of both views."""
    views = [torch.tensor(view) for view in two_views(60)]
    machine = DeepCCA(dimensions=3, autoencoding=0.3, ridge=0.01)
    model = machine._model(20, 15)
    code = [z.detach().numpy() - z.detach().numpy().mean(axis=0) for z in model(views)]
    S = {(i, j): code[i].T @ code[j] / 59 + (0.01 * np.eye(3) if i == j else 0) for i in (0, 1) for j in (0, 1)}
    squared = np.linalg.eigvals(np.linalg.inv(S[0, 0]) @ S[0, 1] @ np.linalg.inv(S[1, 1]) @ S[1, 0]).real.sum()
    rebuilt = [decoder(z) for decoder, z in zip(model.decoders, model(views), strict=True)]
    error = sum(((x - r) ** 2).mean().item() for x, r in zip(views, rebuilt, strict=True))
    assert model.loss({"views": views})["objective"].item() == pytest.approx(-0.7 * squared + 0.3 * error, rel=1e-9)


def test_with_autoencoding_the_decoders_learn_and_without_they_do_not_matter():
    views = [torch.tensor(view) for view in two_views(100)]
    gradients = {}
    for weight in (0.0, 0.5):
        model = DeepCCA(dimensions=3, autoencoding=weight)._model(20, 15)
        model.loss({"views": views})["objective"].backward()
        gradients[weight] = [p.grad.abs().sum().item() for p in model.decoders.parameters()]
        assert all(p.grad.abs().sum() > 0 for p in model.encoders.parameters())
    assert not any(gradients[0.0]) and all(gradients[0.5])


@pytest.mark.parametrize("autoencoding", [0.0, 0.5])
def test_the_seed_decides_and_nothing_else(autoencoding):
    views = two_views(100)
    torch.manual_seed(5)
    expected = torch.rand(3)

    def outputs(seed: int) -> np.ndarray:
        return DeepCCA(3, autoencoding, epochs=10, seed=seed).fit(*views).transform(views[0])

    torch.manual_seed(5)
    first = outputs(1)
    assert (torch.rand(3) == expected).all()  # the reader's own random numbers go on as if nothing had happened
    assert (outputs(1) == first).all() and not np.allclose(outputs(2), first)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda a, b: (a[:-1], b), "N x A and N x B"),
        (lambda a, b: (a[:, 0], b), "N x A and N x B"),
        (lambda a, b: (a[:3], b[:3]), "dimensions of 3 rows"),
        (lambda a, b: (a, np.full_like(b, np.inf)), "not finite"),
        (lambda a, b: (a, np.ones_like(b)), "same in every row"),
    ],
)
def test_wrong_views_are_refused_in_words(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        DeepCCA(3).fit(*change(*two_views(30)))


def test_other_features_than_the_learnt_ones_are_refused():
    model = DeepCCA(3, epochs=1).fit(*two_views(30))
    with pytest.raises(ValueError, match="learnt from 20 features"):
        model.transform(np.zeros((2, 15)))
