"""Verdicts of the printed numbers: each contradiction by its counts, and each kind on small numbers."""

from collections import Counter
from dataclasses import replace

import pytest

from fercore.claims.in_print import CONSISTENT, CONTRADICTED, UNTOLD, in_print
from fercore.claims.reading import claims
from fercore.claims.verdicts import reach
from fercore.forensics import reachable

EVERY = {one.id: one for one in claims()}
CONTRADICTIONS = {  # claim -> how what is found begins, counted by hand from the tables
    "U009": "236 against 213; 312", "U056": "visible network against", "U057": "anger; contempt", "O001": "25/30 hold",
    "O002": "l_LIR; l_rec against l_rec", "O005": "3 listed, 2 stated", "O007": "RAF-DB; AffectNet; CK+; SFEW",
    "O010": "1/4 hold: 28", "O017": "27/32 hold", "O021": "25/30 hold", "O022": "68/70 hold", "O029": "0/9 hold",
    "O030": "-2.67", "O040": "5.00; 1.75; 0.50 against 5.00; 1.75; 0.50", "O048": "7/10 hold", "O058": "15/20 hold",
    "I005": "204206 vs 204156 (+50)", "I008": "13 vs 14 (-1)", "I011": "1/3 hold: 12", "I012": "query; generated",
    "I015": "0.1", "I021": "3 listed, 4 stated", "I023": "402 vs 324", "I026": "38/39 hold", "I034": "35887 vs 204156",
    "I045": "1/3 hold", "I048": "[18] Schroff", "G002": "98/100 hold", "G003": "31/32 hold", "G004": "11/12 hold",
    "G008": "7/8 hold", "G010": "14/16 hold", "G013": "11/12 hold", "G014": "6/7 hold",
    "G022": "S0R0; S1R0; S0R1; S0R0", "G023": "[19] against [18]", "G024": "32; 64; 1", "G027": "312 / 30 / 205",
}  # fmt: skip
FAILING = {  # the pairs that fail, wherever they are few
    "O001": ["79.21 vs PG-CNN 79.49, gACNN 79.49; ", "94.03 vs gACNN 94.82; ", "93.55 vs PG-CNN 93.92, gACNN 93.88"],
    "O022": ["79.21 vs ResNet+l_rec 80.03, ResNet+l_adv+l_rec 80.66"],
    "O017": ["95.13 vs ResNet 95.13", "92.30 vs ResNet 92.30", "77.67 vs ResNet 78.46"],  # a tie is no lead
    "I026": ["2B(N + M) Softmax 97.1 vs DTAGN(video) 97.25"],
    "G003": ["GCNet_S0R0 97.08 vs DTAGN-Joint 97.25"],
    "G004": ["GCNet_S0R0 95.74 vs Zero-bias CNN+AD 96.4"],
    "G008": ["GCNet_S1R1 86.11 vs GCNet_S1R0 86.39"],
    "G010": ["GCNet_S0R0 76.20 vs CNN (baseline) 77.68", "GCNet_S0R1 77.00 vs CNN (baseline) 77.68"],
    "G014": ["CSPL 73.53 vs STM-ExpLet 75.12"],
}


def test_every_claim_has_a_verdict_and_these_are_the_contradictions():
    found = {id: in_print(one) for id, one in EVERY.items()}
    assert {id for id, one in found.items() if one.verdict == CONTRADICTED} == set(CONTRADICTIONS)
    assert Counter(one.verdict for one in found.values()) == {CONSISTENT: 127, CONTRADICTED: 38, UNTOLD: 28}


@pytest.mark.parametrize("id", CONTRADICTIONS)
def test_a_contradiction_by_its_counts_and_in_words(id):
    found = in_print(EVERY[id])
    assert (found.verdict, found.found[: len(CONTRADICTIONS[id])]) == (CONTRADICTED, CONTRADICTIONS[id])
    assert all(pair in found.found for pair in FAILING.get(id, []))
    assert len(EVERY[id].note) > 20


@pytest.mark.parametrize(
    ("id", "found"),
    [
        ("U001", "94/94 hold"), ("U034", "45/45 hold"), ("U011", "+1.87"), ("O027", "7/10 hold"),
        ("O047", "3 columns; 7/10"), ("O052", "116.767, cut off"), ("O053", "130.504"), ("I003", "24/24 hold"),
        ("I024", "4.267"), ("I036", "+0.00, +0.00"), ("I014", "2.13"), ("I016", "10/10 hold"), ("G001", "25/25 hold"),
        ("G015", "12/12 hold"), ("G011", "384 vs 384 (+0)"),
    ],
)  # fmt: skip
def test_what_holds_and_by_how_much(id, found):
    assert in_print(EVERY[id]).verdict == CONSISTENT and in_print(EVERY[id]).found.startswith(found)


@pytest.mark.parametrize(
    ("id", "changes", "verdict"),
    [
        ("U011", {"expected": "1.88"}, CONTRADICTED),
        ("U011", {"expected": "1.9"}, CONSISTENT),  # rounded to the digits that are claimed
        ("O052", {"expected": "116.8"}, CONSISTENT),  # rounded
        ("O052", {"expected": "116.6"}, CONTRADICTED),
        ("O047", {"expected": "4 columns"}, CONTRADICTED),
        ("O027", {"expected": ""}, CONTRADICTED),  # not in all
        ("I014", {"expected": "3"}, CONTRADICTED),
        ("I016", {"relation": ">", "left": "HNG, weight of L_id = 0", "right": "*"}, CONSISTENT),
        ("I016", {"relation": "<", "left": "HNG, weight of L_id = 0.05", "right": "*"}, CONTRADICTED),  # ties
        ("I039", {"expected": "6.01"}, CONTRADICTED),  # more than, not as much as
        ("I004", {"left": "128*128*128 / (2*128)"}, CONSISTENT),  # that reading holds
        ("I004", {"left": "12*12*12 / (2*12)"}, CONTRADICTED),
        ("I004", {"expected": ""}, CONTRADICTED),  # all of them
        ("O003", {"relation": "different"}, CONTRADICTED),
        ("O002", {"right": "l_sim"}, CONSISTENT),
        ("G022", {"relation": "same set"}, CONTRADICTED),
        ("G024", {"relation": "same set"}, CONSISTENT),
    ],
)
def test_another_claim_has_another_verdict(id, changes, verdict):
    assert in_print(replace(EVERY[id], **changes)).verdict == verdict


@pytest.mark.parametrize(
    ("printed", "n", "how"),
    [("96.94", 327, "rounded"), ("97.08", 327, "no"), ("56.02", 3500, "truncated"), ("100.00", 7, "rounded"),
     ("66.6", 3, "truncated"), ("66.7", 3, "rounded"), ("0.00", 5, "rounded")],
)  # fmt: skip
def test_which_accuracies_are_some_k_of_n(printed, n, how):
    assert reachable(printed, n) == how


def test_how_many_of_the_accuracies_behind_a_claim_are_reachable():
    assert reach(EVERY["O022"]) == "77 of 80, 7 cut off"
    assert reach(EVERY["U043"]) == "0 of 1"  # the cited one is another paper's
    assert reach(EVERY["G003"]) == "0 of 4, n inferred"
    assert reach(EVERY["U012"]) == reach(EVERY["U004"]) == reach(EVERY["O048"]) == ""
