"""Probabilities over different classes on what both can say."""

import numpy as np
import pytest
import torch

from fercore.faces.label_sets import onto_shared
from fercore.faces.protocols import PROTOCOLS, SEVEN, SIX

MMSE = PROTOCOLS["mmse4"].classes


def carried(classes, others, seed=0):
    """Random probabilities over both sets, before and after."""
    numbers = np.random.default_rng(seed)
    before = [torch.tensor(numbers.dirichlet(np.ones(len(c)), 5)).float() for c in (classes, others)]
    return before, [p @ matrix for p, matrix in zip(before, onto_shared(classes, others), strict=True)]


def test_equal_sets_stay_as_they_are():
    for matrix in onto_shared(SIX, SIX):
        assert torch.equal(matrix, torch.eye(6))


def test_sets_of_another_order_meet_class_by_class():
    (p, q), (mine, theirs) = carried(("a", "b", "c"), ("c", "a", "b"))
    assert torch.equal(mine, p) and torch.equal(theirs, q[:, [1, 2, 0]])


@pytest.mark.parametrize(("classes", "name"), [(SEVEN, "ckplus7"), (SIX, "oulu6")])
def test_the_papers_visible_sets_share_happiness_surprise_and_the_rest_with_mmse(classes, name):
    assert PROTOCOLS[name].classes == classes
    (p, q), (mine, theirs) = carried(classes, MMSE)
    for before, after, names in ((p, mine, classes), (q, theirs, MMSE)):
        assert after.shape == (5, 3)
        for i, column in enumerate(("happiness", "surprise")):
            assert torch.equal(after[:, i], before[:, names.index(column)])
        rest = [j for j, column in enumerate(names) if column not in ("happiness", "surprise")]
        torch.testing.assert_close(after[:, 2], before[:, rest].sum(1))


@pytest.mark.parametrize(("classes", "others"), [
    (SEVEN, MMSE), (MMSE, SEVEN), (SIX, SEVEN), (SEVEN, SIX), (("a", "b"), ("b", "c", "d")), (("a",), ("a", "b")),
])  # fmt: skip
def test_probabilities_stay_probabilities(classes, others):
    for matrix in onto_shared(classes, others):
        assert torch.equal(matrix.sum(1), torch.ones(len(matrix))) and set(matrix.unique().tolist()) <= {0.0, 1.0}
    for after in carried(classes, others)[1]:
        torch.testing.assert_close(after.sum(1), torch.ones(5))
    mine, theirs = onto_shared(classes, others)
    assert mine.shape[1] == theirs.shape[1] == len(set(classes) & set(others)) + 1
    assert torch.equal(onto_shared(others, classes)[0].sum(0).sort()[0], theirs.sum(0).sort()[0])


def test_the_smaller_set_says_nothing_of_the_rest():
    _, theirs = onto_shared(SEVEN, SIX)
    assert (theirs[:, -1] == 0).all()


def test_sets_with_nothing_in_common_are_refused_with_both():
    with pytest.raises(ValueError, match="the classes laughter, speech and neutral, happiness.*none in common"):
        onto_shared(("laughter", "speech"), MMSE)
