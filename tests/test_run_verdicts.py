"""Verdicts of runs: what must not be compared, what supports a claim, and how often chance would."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from result_factories import judged, store, store_all, study
from scipy import stats

from fercore import evaluation, metrics, paths
from fercore.ablation import Ablation
from fercore.claims import in_runs, verdicts
from fercore.claims.columns import columns
from fercore.claims.comparisons import Gap, Side, VerdictError, gap, paired, word
from fercore.claims.in_runs import Evidence
from fercore.claims.reading import claims
from fercore.evaluation import Interval, jackknife_t
from fercore.tables import verdicts as told

EVERY = {one.id: one for one in claims()}
CLASSES = ("a", "b")


pytestmark = pytest.mark.usefixtures("prepared_faces")


def side(variant: str, of: Ablation) -> Side:
    return Side(variant, variant, replace(of, variants=(variant,)))


def test_a_gap_is_that_of_both_rows_on_the_same_images_and_names_its_runs():
    both = store_all(study(folds=(0, 1)), {
        ("CNN", 0): [True] * 8 + [False] * 8, ("S1R1", 0): [True] * 12 + [False] * 4,
        ("CNN", 1): [True] * 4 + [False] * 4, ("S1R1", 1): [True] * 8,
    })  # fmt: skip
    found = gap("CK+", "accuracy", side("S1R1", both), side("CNN", both))
    assert found.interval.value == pytest.approx(8 / 24)
    assert (found.images, found.people, found.folds) == (24, 12, (0, 1))
    assert len(found.runs) == 4 and all((paths.results() / "runs" / run / "run.json").is_file() for run in found.runs)


def test_a_missing_fold_is_refused_by_row_and_fold():
    one = store_all(study(folds=(0, 1)), {("CNN", 0): [True] * 8, ("S1R1", 0): [True] * 8, ("CNN", 1): [True] * 8})
    with pytest.raises(VerdictError, match=r"S1R1 lacks fold 1 \(seed 0\) of ckplus7, which CNN has; train it first"):
        gap("CK+", "accuracy", side("S1R1", one), side("CNN", one))
    with pytest.raises(VerdictError, match="S1R1 lacks fold 1"):
        gap("CK+", "accuracy", side("CNN", one), side("S1R1", one))


def test_two_tiers_or_sources_in_one_comparison_are_refused(monkeypatch):
    small = store_all(study(folds=(0,)), {("CNN", 0): [True] * 8, ("S1R1", 0): [True] * 8})
    large = store_all(study(folds=(0,), tier="twin"), {("S1R1", 0): [True] * 8})
    with pytest.raises(VerdictError, match="S1R1 and CNN: runs of tier smoke and twin in one comparison"):
        gap("CK+", "accuracy", side("S1R1", large), side("CNN", small))
    drawn = side("CNN", small)
    twin = [replace(run, spec=replace(run.spec, source="twin")) for run in drawn.runs]
    monkeypatch.setitem(drawn.__dict__, "runs", twin)
    with pytest.raises(VerdictError, match="runs of source prepared and twin in one comparison"):
        gap("CK+", "accuracy", side("S1R1", small), drawn)


def test_other_images_are_refused():
    one = study(folds=(0,))
    store(one.specs[0], judged([True] * 8))
    store(one.specs[1], judged([True] * 8, first_row=3))
    with pytest.raises(VerdictError, match="S1R1 and CNN, CK.: the two methods were not tested on the same images"):
        gap("CK+", "accuracy", side("S1R1", one), side("CNN", one))


def at(low: float, high: float, p: float = 0.001, people: int = 12) -> Gap:
    return Gap("c", "l", "r", Interval((low + high) / 2, low, high), p, 100, people, (0,))


UP, DOWN, OPEN = at(0.1, 0.3), at(-0.3, -0.1), at(-0.1, 0.3, 0.4)


@pytest.mark.parametrize(
    ("groups", "needed", "missing", "verdict"),
    [
        ([[UP]], 1, 0, "supported"), ([[UP], [UP]], 2, 0, "supported"), ([[UP], [OPEN]], 2, 0, "undecided"),
        ([[UP], [DOWN]], 2, 0, "contradicted"), ([[DOWN]], 1, 0, "contradicted"), ([[OPEN]], 1, 0, "undecided"),
        ([[at(0.1, 0.3, people=5)]], 1, 0, "undecided"), ([[at(-0.3, -0.1, people=5)]], 1, 0, "undecided"),
        ([[at(0.1, 0.3, p=0.06)]], 1, 0, "undecided"),  # the drawings alone are too sure
        ([[at(-0.3, -0.1, p=0.03)], [OPEN]], 2, 0, "undecided"),  # 0.06 after Holm
        ([[at(-0.3, -0.1, p=0.03)], [at(-0.3, -0.1, people=5)]], 2, 0, "contradicted"),  # few people do not count
        ([[UP], [UP], [DOWN]], 2, 0, "supported"), ([[UP], [DOWN], [DOWN]], 2, 0, "contradicted"),
        ([[at(0.1, 0.3, p=0.03)], [UP], [OPEN]], 2, 0, "undecided"),  # a part of many must hold after Holm
        ([[UP, UP], [UP, OPEN]], 1, 0, "supported"), ([[UP, DOWN]], 1, 0, "contradicted"),
        ([[UP]], 3, 4, "undecided"), ([[DOWN], [DOWN]], 3, 3, "undecided"), ([[DOWN], [DOWN]], 3, 0, "contradicted"),
    ],
)  # fmt: skip
def test_what_supports_and_what_contradicts(groups, needed, missing, verdict):
    assert word(groups, needed, missing) == verdict


def simulated(random: np.random.Generator, people: int, gain: float = 0.0) -> list[pd.DataFrame]:
    """Two methods on the same images; some people are easy, some suit one method: images of a person hang together."""
    subject = np.repeat(np.arange(people), random.integers(3, 10, people))
    easy, suited = random.normal(1.4, 1, people), random.normal(0, 1, (2, people))
    chance = [1 / (1 + np.exp(-(easy + own)[subject] - more)) for own, more in zip(suited, (gain, 0), strict=True)]
    table = pd.DataFrame({"row": range(len(subject)), "fold": 0, "seed": 0, "subject": subject, "label": "a"})
    return [table.assign(predicted=np.where(random.random(len(subject)) < one, "a", "b")) for one in chance]


def supported(random: np.random.Generator, people: int, gain: float = 0.0, metric: str = "accuracy") -> bool:
    interval, p = paired(*simulated(random, people, gain), metric, CLASSES)
    return word([[Gap("c", "l", "r", interval, p, 1, people, (0,))]], 1) == "supported"


@pytest.mark.parametrize(("fewest", "most", "times"), [(6, 30, 400), (6, 7, 200)])  # few people by themselves, too
def test_chance_supports_a_claim_in_at_most_five_percent(fewest, most, times, monkeypatch):
    monkeypatch.setattr(evaluation, "DRAWS", 200)
    random = np.random.default_rng(0)
    found = [supported(random, int(random.integers(fewest, most + 1))) for _ in range(times)]
    assert np.mean(found) <= 0.05


def test_chance_supports_a_claim_about_f1_in_at_most_five_percent(monkeypatch):
    monkeypatch.setattr(metrics, "DRAWS", 200)
    random = np.random.default_rng(1)
    assert np.mean([supported(random, int(random.integers(6, 31)), metric="macro-F1") for _ in range(100)]) <= 0.05


def test_a_true_effect_is_supported(monkeypatch):
    monkeypatch.setattr(evaluation, "DRAWS", 200)
    random = np.random.default_rng(0)
    assert np.mean([supported(random, 30, gain=3.0) for _ in range(20)]) > 0.9
    assert supported(random, 30, gain=4.0, metric="macro-F1")


def test_the_error_over_people_is_that_of_leaving_out_each():
    ours, base = simulated(np.random.default_rng(0), 9)
    gained = (ours["predicted"] == "a").astype(float) - (base["predicted"] == "a")
    without = np.array([gained[ours["subject"] != one].mean() for one in range(9)])
    t = gained.mean() / np.sqrt(8 / 9 * ((without - without.mean()) ** 2).sum())
    assert jackknife_t(gained.mean(), without) == pytest.approx(2 * stats.t.sf(abs(t), 8))
    assert jackknife_t(0.0, np.zeros(9)) == 1.0 and jackknife_t(0.1, np.full(9, 0.1)) == 0.0
    assert np.isnan(jackknife_t(0.1, np.array([0.1])))
    drawn = evaluation.two_sided(np.concatenate([gained.groupby(ours["subject"]).mean(), [np.nan]]))
    assert paired(ours, base, "accuracy", CLASSES)[1] >= 2 * stats.t.sf(abs(t), 8) and 0 < drawn <= 1


CNN, S0, S1 = "CNN", "S0R0", "S1R0"
HALF = [True, False] * 10  # ten people, one of two images each


def finished(right: dict[tuple[str, int], list[bool]], source: str = "prepared") -> None:
    rows = tuple(dict.fromkeys(variant for variant, _ in right))
    store_all(Ablation("gcnet", "ckplus", rows, "ckplus7", (0, 1), "smoke", source), right)


def test_a_claim_is_judged_by_the_comparisons_that_are_run():
    finished({(S0, 0): HALF, (S1, 0): [True] * 20, (CNN, 0): [True] * 20})
    found = Evidence("smoke", "prepared").judged(EVERY["G005"])
    assert found.verdict == "supported" and found.found == "1 of 4 run; 1 above zero"
    (one,) = found.gaps
    assert (one.column, one.left, one.right) == ("CK+ (7 expressions)", "GCNet_S1R0", "GCNet_S0R0")
    found = Evidence("smoke", "prepared").judged(EVERY["G010"])
    assert found.verdict == "contradicted" and found.found.startswith("2 of 16 run; 0 above zero")
    assert Evidence("twin", "prepared").judged(EVERY["G005"]).verdict == "not run"
    assert Evidence("smoke", "prepared").judged(EVERY["G014"]).found == "0 of 7 run: rows of other systems"


WON, LOST, TIED = [True] * 20, [False] * 20, HALF  # against HALF


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        ([WON], "undecided"), ([WON, WON], "undecided"), ([WON, WON, WON], "supported"),
        ([WON, WON, WON, LOST], "supported"), ([LOST, TIED], "undecided"), ([LOST, LOST, TIED], "contradicted"),
    ],
)  # fmt: skip
def test_most_pairs_are_most_of_all_pairs_also_of_those_not_run(right, verdict, monkeypatch):
    rows = dict(zip([S0, S1, "S0R1", "S1R1"], right, strict=False))
    finished({(CNN, 0): HALF} | {(row, 0): answers for row, answers in rows.items()})
    most = replace(EVERY["G010"], tables="2", expected="most")  # four pairs
    runs = Evidence("smoke", "prepared")
    found = runs.judged(most)
    assert (found.verdict, found.found[: len("1 of 4 run")]) == (verdict, f"{len(right)} of 4 run")
    monkeypatch.setattr(in_runs, "elsewhere", lambda paper: columns(paper)[:1])  # the same test, as on photographs
    assert runs.judged_elsewhere(most).verdict == verdict


def test_the_printed_amount_is_told_beside_a_difference():
    finished({(S0, 0): HALF, (S1, 0): [True] * 20})
    lead = replace(EVERY["G007"], kind="difference", relation="=", expected="0.75", tables="2", left="GCNet_S1R0")
    found = Evidence("smoke", "prepared").judged(lead)
    assert found.verdict == "supported" and "ours 50.0 [50.0, 50.0], printed +0.75 outside" in found.found


@pytest.mark.parametrize(
    ("id", "verdict"),
    [("U004", "does not apply"), ("U009", "does not apply"), ("G015", "does not apply"), ("I036", "does not apply"),
     ("U052", "does not apply"), ("G018", "see its page"), ("I022", "see its page"), ("O052", "see its page"),
     ("I016", "see its page"), ("I001", "see its page"), ("I018", "not run"), ("I024", "not run"), ("I025", "not run")],
)  # fmt: skip
def test_claims_that_no_comparison_of_rows_can_judge(id, verdict):
    assert Evidence("smoke", "prepared").judged(EVERY[id]).verdict == verdict


def test_what_no_page_measures_says_why_and_is_listed_apart():
    found = Evidence("smoke", "prepared").judged(EVERY["I025"])
    assert found.found == "measured on no page: the time of a single face is not measured"
    listed = told.not_run(verdicts.judge("idferm", "smoke", "prepared"))
    assert listed.loc[(verdicts.REAL, "measured on no page"), "which"] == "I018, I024, I025"


def test_a_refusal_stands_in_its_cell_and_hides_no_other():
    finished({(S0, 0): HALF, (S1, 0): [True] * 20, (S1, 1): [True] * 8, (CNN, 0): HALF})
    found = verdicts.judge("gcnet", "smoke", "prepared")
    by_id = {one.claim.id: one.runs[verdicts.REAL] for one in found.claims}
    assert by_id["G005"].verdict == "refused" and "GCNet_S0R0 lacks fold 1" in by_id["G005"].found
    assert by_id["G010"].verdict == "refused" and by_id["G001"].verdict == "not run"
    assert told.counts(found).loc[(verdicts.REAL, "refused"), "gcnet"] == len(told.decided(found)) == 2
    assert told.counts(found).loc["in print"]["all"].sum() == 27
    assert "twin" not in found.layers and "prepared: 4 of 250 runs (commit c0ffee0123)" in found.stamp


def test_what_chance_alone_would_decide_stands_beside_what_was_decided():
    finished({(S0, 0): HALF, (S1, 0): [True] * 20, (CNN, 0): HALF})
    found = verdicts.judge("gcnet", "smoke", "prepared")
    reruns = [one.runs[verdicts.REAL] for one in found.claims]
    row = told.asked(found).loc[verdicts.REAL]
    assert row["claims asked"] == sum(bool(rerun.gaps) for rerun in reruns) > row["decided"] == len(told.decided(found))
    assert row["by chance, at most"] == f"{0.05 * row['claims asked']:.1f}"
    assert row["comparisons"] == len(told.comparisons(found, verdicts.REAL)) == 3 and row["runs"] == 3
    assert told.asked(found).loc[verdicts.LONDON].tolist() == [0, 0, 0, 0, "0.0"]


def test_a_table_without_rows_is_a_word():
    found = verdicts.judge("idferm", "smoke", "prepared")
    page = told.readable(told.comparisons(found, verdicts.LONDON), "a stamp", none="None is run.").to_html()
    assert "None is run." in page and "a stamp" in page and "left over right" not in page


def test_tables_lead_from_every_gap_to_its_runs():
    finished({(S0, 0): HALF, (S1, 0): [True] * 20})
    found = verdicts.judge("gcnet", "smoke", "prepared")
    table, runs = (part(found, verdicts.REAL) for part in (told.comparisons, told.runs))
    (row,) = table.to_dict("records")
    assert row["claims"] == "G005" and row["gap [95 %]"] == "+50.0 [50.0, 50.0] ↑"
    named = [runs.loc[int(number), "run"] for number in row["runs"].split(", ")]
    assert [S1 in named[0], S0 in named[1]] == [True, True]
    assert sum(len(told.judged(found, verdict)) for verdict in told.IN_PRINT) == 27
    assert set(told.contradictions(found).index) < {one.claim.id for one in found.claims}
    assert told.not_run(found)["claims"].sum() == sum(
        rerun.verdict == "not run" for one in found.claims for rerun in one.runs.values()
    )
