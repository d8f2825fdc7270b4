"""What habits buy, on written predictions with known answers, and on simulated ones where nothing is to be gained."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fercore.evaluation import difference_interval
from fercore.figures import leakage as drawn
from fercore.leakage import (
    BEST,
    CROSSED,
    INNER,
    LAST,
    LATE,
    PRICES,
    RULES,
    Leak,
    chosen,
    curve,
    half_of,
    late,
    people_gap,
    prices,
    restlessness,
    scored,
)
from fercore.runs import RunError
from fercore.storage import write_json
from fercore.tables import leakage as listed
from fercore.watched import folder_of


def told(right: dict[str, list[list[bool]]], fold=0, seed=0, first_row=0, people=None) -> pd.DataFrame:
    """``right``: side -> epoch -> whether each image was right; every image is of a person of its own by default."""
    rows = []
    for side, by_epoch in right.items():
        for epoch, answers in enumerate(by_epoch):
            for n, ok in enumerate(answers):
                person = f"{side}{fold}{n:02d}" if people is None else people[n]
                rows.append((epoch, side, first_row + n, person, "joy", "joy" if ok else "fear", fold, seed))
    names = ["epoch", "side", "row", "subject", "label", "predicted", "fold", "seed"]
    return pd.DataFrame(rows, columns=names).assign(sequence="001")


SEEN = told({
    "inner": [[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 0]],
    "test": [[1, 1, 1, 1, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
})  # fmt: skip


def accuracy(predicted):
    return (predicted["label"] == predicted["predicted"]).mean()


def test_each_rule_takes_its_epoch_and_the_first_of_equals():
    assert {rule: chosen(SEEN, rule)[0, 0] for rule in (LAST, INNER, BEST)} == {LAST: 3, INNER: 1, BEST: 2}
    assert {rule: accuracy(scored(SEEN, rule)) for rule in (LAST, INNER, BEST)} == {LAST: 0.6, INNER: 0.4, BEST: 1.0}
    assert curve(SEEN).loc[(0, 0, 1)].to_dict() == {"inner": 2 / 3, "test": 0.4}


def test_every_fold_and_seed_takes_its_own_epoch():
    others = told({"inner": [[1], [0]], "test": [[0, 1], [1, 1]]}, fold=1, seed=3)
    both = pd.concat([SEEN, others])
    assert chosen(both, BEST).to_dict() == {(0, 0): 2, (3, 1): 1}
    assert chosen(both, LAST).to_dict() == {(0, 0): 3, (3, 1): 1}
    assert scored(both, INNER)["epoch"].tolist() == [1] * 5 + [0] * 2


def test_all_rules_score_the_same_images_in_the_same_order():
    shuffled = SEEN.sample(frac=1, random_state=0)
    for rule in RULES:
        assert scored(shuffled, rule)["row"].tolist() == list(range(5)), rule


def test_nobody_is_scored_by_an_epoch_of_their_own_choice():
    """Two halves that are right in turn: each chooses the epoch in which the other is wrong."""
    turns = told({"inner": [[1], [1]], "test": [[1, 0, 1, 0], [0, 1, 0, 1]]})
    assert accuracy(scored(turns, CROSSED)) == 0
    assert accuracy(scored(turns, BEST)) == 0.5


def test_halves_keep_people_whole_and_share_them_evenly():
    seen = told({"test": [[1] * 8]}, people=["d", "a", "b", "a", "c", "d", "e", "b"])
    halves = half_of(seen).groupby(seen["subject"]).agg(set)
    assert all(len(own) == 1 for own in halves) and sorted(len(own) for own in halves) == [1] * 5
    assert sorted(next(iter(own)) for own in halves) == [0, 0, 1, 1, 1]


def test_one_person_has_no_other_half():
    alone = told({"inner": [[1]], "test": [[1, 0]]}, fold=4, people=["a", "a"])
    with pytest.raises(ValueError, match="fold 4, seed 0 tests one person"):
        scored(alone, CROSSED)


def test_the_last_quarter_is_pooled_and_its_movement_told():
    answers = [[0, 0]] * 6 + [[0, 1], [1, 1]]
    seen = pd.concat([told({"test": answers}), told({"test": [[1, 1], [0, 1]]}, fold=1)])
    assert seen[late(seen)].groupby("fold")["epoch"].unique().map(list).tolist() == [[6, 7], [1]]
    assert accuracy(scored(seen, LATE)) == pytest.approx((1 + 2 + 1) / 6)
    assert restlessness(seen)[0, 0] == 0.5 and np.isnan(restlessness(seen)[0, 1])  # of one epoch nothing can be told


def coins(rng, epochs, people, fold) -> pd.DataFrame:
    """An untaught method: every answer of every epoch is a toss."""
    toss = {side: rng.integers(0, 2, (epochs, people)).astype(bool).tolist() for side in ("inner", "test")}
    return told(toss, fold=fold, first_row=100 * fold)


def test_with_nothing_to_gain_only_the_best_on_the_test_rises_and_the_crossed_one_does_not():
    rng = np.random.default_rng(0)
    seen = pd.concat([coins(rng, 20, 20, fold) for fold in range(20)])
    found = {rule: accuracy(scored(seen, rule)) for rule in RULES}
    expected = np.mean([rng.binomial(20, 0.5, 20).max() / 20 for _ in range(4000)])  # the largest of 20 epochs
    assert found[BEST] == pytest.approx(expected, abs=0.04)
    for rule in (LAST, INNER, CROSSED, LATE):
        assert found[rule] == pytest.approx(0.5, abs=0.09), rule  # 400 tosses: 3.6 standard deviations


def test_the_best_on_the_test_is_never_below_any_other_choice():
    rng = np.random.default_rng(1)
    seen = pd.concat([coins(rng, 5, 6, fold) for fold in range(4)])
    assert all(accuracy(scored(seen, BEST)) >= accuracy(scored(seen, rule)) for rule in (LAST, INNER, CROSSED, LATE))


def test_on_the_same_images_the_gap_is_the_paired_one():
    rng = np.random.default_rng(2)
    first, second = (scored(pd.concat([coins(rng, 3, 9, fold) for fold in range(3)]), LAST) for _ in range(2))
    ours, theirs = people_gap(first, second), difference_interval(first, second)
    assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high))


def test_on_other_images_only_people_of_both_count():
    first = told({"test": [[1, 1, 0, 0]]}, people=["a", "a", "b", "c"])
    second = told({"test": [[0, 1, 1]]}, people=["a", "b", "d"])
    assert people_gap(first, second).value == pytest.approx(2 / 3 - 1 / 2)
    with pytest.raises(ValueError, match="nobody was tested in both"):
        people_gap(first, second[second["subject"] == "d"])


def test_people_resampled_together_leave_out_how_hard_each_is():
    """One image of each person in both: always a tenth more, whoever is drawn."""
    people = [f"P{n:02d}" for n in range(10) for _ in range(10)]
    easy = [[n // 10 > n % 10 for n in range(100)]]
    better = [[n // 10 >= n % 10 for n in range(100)]]
    gap = people_gap(told({"test": better}, people=people), told({"test": easy}, people=people))
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))


def test_prices_are_differences_of_the_accuracies_that_they_name():
    levels = {(apart, rule): n for n, (apart, rule) in enumerate((a, r) for a in ("people", "images") for r in RULES)}
    one = {arm: scored(told({"test": [[True] * n + [False] * (10 - n)]}), LAST) for arm, n in levels.items()}
    assert {habit: round(10 * price.value) for habit, price in prices(one).items()} == {
        habit: levels[bad] - levels[good] for habit, (bad, good) in PRICES.items()
    }


def test_every_habit_says_over_what_it_is_priced():
    assert all(", over " in habit for habit in PRICES)


def test_a_dataset_without_leaky_folds_is_refused():
    with pytest.raises(ValueError, match="mmi has no protocol that keeps only images apart; valid: ckplus, oulu"):
        Leak("gcnet", "CNN", "mmi", [0])


def write(leak: Leak, skip=()) -> Leak:
    """Finished trainings of tosses for every spec but those of the protocols in ``skip``."""
    rng = np.random.default_rng(0)
    for spec in (spec for apart in ("people", "images") for spec in leak.specs(apart)):
        if spec.protocol in skip:
            continue
        folder = folder_of(spec)
        folder.mkdir(parents=True)
        coins(rng, 4, 6, spec.fold).drop(columns=["fold", "seed"]).to_parquet(folder / "epochs.parquet")
        about = {"data": {"credit": "tosses", "fingerprint": "x"}, "commit": "c0ffee", "epochs": 4, "seconds": 1.0,
                 "source_digest": "old", "watched_by": "old",
                 "images": {"learned": 20 + spec.fold, "classified": 15, "inner": 6, "test": 6}}  # fmt: skip
        write_json(folder / "run.json", about)
    return leak


@pytest.fixture
def leak(tmp_path, monkeypatch) -> Leak:
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    return Leak("gcnet", "CNN", "ckplus", [0, 2])


def test_a_missing_training_is_refused_and_named(leak):
    write(leak, skip=("ckplus7leaky",))
    assert len(leak.predictions("people"))
    with pytest.raises(RunError, match="2 watched trainings are missing, the first .*ckplus7leaky, fold0"):
        leak.scored()


def test_changes_may_hold_lists_as_they_come_from_json(leak):
    shorter = (("widths", [4, 8, 12]), ("iterations", 3))
    assert len(write(replace(leak, changes=shorter)).trainings("people")) == 2


def test_tables_show_every_arm_and_the_stamp_says_what_is_old(leak):
    leaks = {"CK+": write(leak)}
    assert "4 of 4 trainings made with other code or images" in leak.stamp and "folds 0, 2 of 10" in leak.stamp
    assert listed.trained(leaks).loc[("CK+", "people"), "images learned"] == "20-22"
    scores = listed.scores(leaks)
    assert scores["images"].tolist() == [12, 12] and scores.shape == (2, 2 + len(RULES))
    best = accuracy(leak.scored()["people", BEST])
    assert scores.loc[("CK+", "people"), f"{BEST}, % [95 %]"].startswith(f"{100 * best:.1f} [")
    assert listed.habits(leaks).index.tolist() == list(PRICES)
    assert listed.epochs(leaks).loc[("CK+", 0, 2), LAST] == 4  # counted from 1


def test_figures_mark_the_epochs_and_draw_every_price(leak):
    leaks = {"CK+": write(leak)}
    panels = drawn.epochs(leaks).axes
    assert len(panels) == 2
    seen = leak.predictions("people")
    marks = {line.get_label(): line for line in panels[1].lines if line.get_label() in RULES}
    for rule, mark in marks.items():
        at = chosen(seen, rule)[0, 2]
        assert mark.get_xdata() == 1 + at and mark.get_ydata() == curve(seen).loc[(0, 2, at), "test"]
    assert set(marks) == {LAST, INNER, BEST}
    bars = drawn.habits(leaks).axes[0].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([100 * p.value for p in prices(leak.scored()).values()])
