"""Linear probes: a space that holds the answer, one that holds nothing, and who may see whom."""

import numpy as np
import pandas as pd
import pytest

from fercore import disentanglement
from fercore.disentanglement import CHANCE, Seen, held_out, of_faces, per_identity, table

PEOPLE, LABELS = 10, ("anger", "happiness", "surprise")


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    """Ten people, each with every expression in two recordings of two images."""
    rows = [
        ("a", f"P{who}", f"{label}{take}", label)
        for who in range(PEOPLE) for label in LABELS for take in range(2) for _ in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["dataset", "subject", "sequence", "label"])


@pytest.fixture(scope="module")
def spaces(known) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    one_hot = {column: 10 * pd.get_dummies(known[column]).to_numpy(float) for column in ("label", "subject")}
    noise = {name: draw.normal(size=(len(known), 12)) for name in (*one_hot, "nothing")}
    held = {name: np.hstack([space, noise[name]]) for name, space in one_hot.items()}
    return {"both": np.hstack([*held.values()]), "expression": held["label"], "identity": held["subject"],
            "nothing": noise["nothing"]}  # fmt: skip


def test_probes_find_what_is_there_and_nothing_else(known, spaces):
    seen = Seen(spaces, known)
    expression = {name: right.mean() for name, right in seen.expression().items()}
    identity = {name: right.mean() for name, right in seen.identity().items()}
    assert expression["both"] == expression["expression"] == 1 and identity["both"] == identity["identity"] == 1
    assert abs(expression["nothing"] - 1 / 3) < 0.15 and identity["nothing"] < 0.25
    assert expression["identity"] < 0.55 and identity["expression"] < 0.3
    assert expression[CHANCE] == pytest.approx(1 / 3, abs=0.01)


def test_no_person_is_on_both_sides_of_the_expression_probe_and_no_recording_of_the_identity_probe(known, monkeypatch):
    sides = []

    def spy(space, truth, fold):
        sides.append(fold)
        return pd.Series(np.zeros(len(truth)))

    monkeypatch.setattr(disentanglement, "held_out", spy)
    seen = Seen({"x": np.zeros((len(known), 1))}, known)
    seen.expression(), seen.identity()
    people, recordings = sides[0], sides[2]
    assert known.assign(fold=people).groupby("subject")["fold"].nunique().max() == 1 and len(set(people)) == 5
    assert known.assign(fold=recordings).groupby(["subject", "sequence"])["fold"].nunique().max() == 1
    assert known.assign(fold=recordings).groupby("subject")["fold"].nunique().min() == 5


def test_a_probe_learns_nothing_from_what_it_is_tested_on():
    """Each fold has labels of its own meaning: only a probe that looked at the tested fold could be right."""
    space, fold = np.repeat([[1.0], [-1.0]], 20, axis=0), np.tile([0, 1], 20)
    truth = np.where((space[:, 0] > 0) == (fold == 0), "x", "y")
    assert held_out(space, truth, fold).sum() == 0


def test_people_of_one_recording_are_left_out_of_the_identity_probe(known, spaces):
    single = known.copy()
    single.loc[single["subject"] == "P3", "sequence"] = "only"
    right = Seen({"identity": spaces["identity"]}, single).identity()["identity"]
    assert right[single["subject"] == "P3"].isna().all() and (right[single["subject"] != "P3"] == 1).all()
    nobody = Seen({"x": spaces["nothing"]}, known.assign(sequence="only")).identity()["x"]
    assert nobody.isna().all()


def test_table_counts_parts_together_and_pairs_every_space_with_the_first(known, spaces):
    both = table({"a": [Seen(spaces, known), Seen(spaces, known.assign(subject="Q" + known["subject"]))]})
    assert both.index.tolist() == [("a", name) for name in (*spaces, CHANCE)]
    assert both.loc[("a", "both"), "expression %"] == "100.0 [100.0, 100.0]"
    assert both.loc[("a", "both"), "identity, gap to the first"] == ""
    assert both.loc[("a", "nothing"), "identity, gap to the first"].endswith("↓")
    assert both.loc[("a", "identity"), "identity, gap to the first"] == "+0.0 [0.0, 0.0]"


def test_pictures_are_probed_set_by_set(known):
    images = np.random.default_rng(0).integers(0, 255, (2 * len(known), 3, 3), dtype=np.uint8)
    parts = of_faces({"input": images}, pd.concat([known, known.assign(dataset="b")], ignore_index=True))
    assert list(parts) == ["a", "b"]
    assert np.array_equal(parts["b"][0].spaces["input"], images[len(known) :])
    assert parts["b"][0].table.index.tolist() == list(range(len(known)))


def test_errors_person_by_person():
    rows = [(who, name, error) for who, a, b in (("p", 1.0, 2.0), ("p", 3.0, 2.0), ("q", 1.0, 4.0), ("r", 5.0, 1.0))
            for name, error in (("mine", a), ("copy", b))]  # fmt: skip
    found = per_identity(pd.DataFrame(rows, columns=["subject", "estimate", "error"]))
    assert found.loc["mine", "people"] == 3
    assert found.loc["mine", "median error"] == 2.0 and found.loc["copy", "median error"] == 2.0
    assert found.loc["mine", "nearest of all, % of people"].startswith("66.7 [")  # p is a tie: the first; q; not r
