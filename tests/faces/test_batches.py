"""The three ways to put an epoch's batches together: who comes how often, beside whom, in what order."""

from collections import Counter

import pytest
import torch

from fercore.faces.batches import OfEachClass, OfWholePeople, shuffled

LABEL = torch.tensor([0] * 7 + [1] * 3 + [4] * 2)  # classes of unequal size, numbers left out
PEOPLE = torch.tensor([0, 0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1])
WAYS = [shuffled, OfEachClass(2), OfWholePeople(2)]


def epoch(way, size=4, seed=0, label=LABEL, subject=PEOPLE) -> list[list[int]]:
    return [batch.tolist() for batch in way(label, subject, size, torch.Generator().manual_seed(seed))]


@pytest.mark.parametrize("way", WAYS, ids=["shuffled", "of each class", "of whole people"])
def test_epochs_of_one_generator_are_alike_and_others_differ(way):
    assert epoch(way) == epoch(way) != epoch(way, seed=1)


@pytest.mark.parametrize("size", [1, 4, 5, 12, 99])
def test_shuffled_shows_each_once_and_leaves_an_incomplete_last_batch_out(size):
    batches = epoch(shuffled, size)
    shown = sum(batches, [])
    assert [len(batch) for batch in batches] == [min(size, 12)] * (12 // min(size, 12))
    assert len(set(shown)) == len(shown) and shown != sorted(shown) and set(shown) <= set(range(12))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [1, 4, 99])  # it is not asked
def test_each_class_has_so_many_in_every_batch_and_nobody_is_there_twice(count, size):
    batches = epoch(OfEachClass(count), size)
    assert len(batches) == 7 // count
    for batch in batches:
        assert Counter(LABEL[batch].tolist()) == {0: count, 1: count, 4: count}
        assert len(set(batch)) == len(batch)


def test_the_largest_class_is_gone_through_once_and_smaller_ones_are_shuffled_anew():
    for seed in range(5):
        shown = Counter(sum(epoch(OfEachClass(1), seed=seed), []))
        assert all(shown[n] == 1 for n in range(7))
        assert all(shown[n] in (2, 3) for n in (7, 8, 9)) and all(shown[n] in (3, 4) for n in (10, 11))
    seen = set(sum((sum(epoch(OfEachClass(2), seed=seed), []) for seed in range(20)), []))
    assert seen == set(range(12))  # what one shuffling leaves out comes in another


def test_the_rounds_of_a_small_class_have_orders_of_their_own():
    rounds = [batch[-3:] for batch in epoch(OfEachClass(3), label=torch.tensor([0] * 30 + [1] * 3),
              subject=torch.zeros(33))]  # fmt: skip
    assert all(sorted(batch) == [30, 31, 32] for batch in rounds) and len(set(map(tuple, rounds))) > 2


@pytest.mark.parametrize("way", [OfEachClass, OfWholePeople])
def test_a_class_of_too_few_is_refused_and_not_waited_for(way):
    with pytest.raises(ValueError, match=r"classes \[4\] have fewer than 3 examples"):
        epoch(way(3))
    with pytest.raises(ValueError, match=r"classes \[0, 1, 4\] have fewer than 8"):
        epoch(way(8))
    assert epoch(way(2))


def test_whole_people_show_every_class_they_have_and_every_example_comes():
    ordinary = OfWholePeople(1)
    for seed in range(5):
        batches = epoch(ordinary, seed=seed)
        expected = {0: {0, 1, 4}, 1: {0, 1, 4}, 2: {0, 1}}
        for batch in batches:
            assert len(batch) >= 3  # as many as there are classes, or more
            for person, shows in expected.items():
                own = [n for n in batch if PEOPLE[n] == person]
                times = Counter(LABEL[own].tolist())
                assert not own or (times.keys() == shows and len(set(times.values())) == 1)
            assert sum(len(expected[int(p)]) for p in PEOPLE[batch].unique()) <= len(batch)


def test_a_person_comes_as_often_as_its_most_frequent_class_so_that_every_example_is_used():
    label, subject = torch.tensor([0, 0, 0, 1, 0, 1, 0, 1]), torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    batches = epoch(OfWholePeople(1), label=label, subject=subject)
    assert [len(batch) for batch in batches] == [2] * 5  # 3 + 1 + 1 tuples
    assert Counter(sum(batches, [])) == {0: 1, 1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 1, 7: 1}
    firsts = {tuple(sum(epoch(OfWholePeople(1), seed=seed, label=label, subject=subject), [])[:2]) for seed in range(9)}
    assert len(firsts) > 2  # people in random order


@pytest.mark.parametrize(("count", "sizes"), [(2, [4, 4]), (3, [6]), (4, [8])])
def test_whole_people_fill_a_batch_and_an_incomplete_last_one_is_left_out(count, sizes):
    label, subject = torch.tensor([0, 1] * 5), torch.arange(10) // 2
    assert [len(batch) for batch in epoch(OfWholePeople(count), 99, label=label, subject=subject)] == sizes
