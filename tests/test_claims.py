"""The file of claims: nothing dropped, nothing named that does not exist, nothing evaluated but sums."""

import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from fercore import paths, published
from fercore.claims.arithmetic import evaluated
from fercore.claims.columns import columns, columns_of
from fercore.claims.reading import ClaimError, check, claims

EVERY = {one.id: one for one in claims()}


def test_all_claims_of_the_shared_list_are_there_once():
    numbers = {letter: [int(i[1:]) for i in EVERY if i[0] == letter] for letter in "UOIG"}
    assert all(ids == list(range(1, len(ids) + 1)) for ids in numbers.values())
    assert {letter: len(ids) for letter, ids in numbers.items()} == {"U": 58, "O": 60, "I": 48, "G": 27}
    assert len((paths.published() / "claims.csv").read_text().splitlines()) == 1 + len(EVERY) == 194


def test_claims_of_one_paper():
    assert Counter(one.paper for one in EVERY.values()) == {"unpaired": 58, "occluded": 60, "idferm": 48, "gcnet": 27}
    assert [one.id for one in claims("gcnet")] == [i for i in EVERY if i.startswith("G")]
    with pytest.raises(ClaimError, match="'gcnett' has no claims; valid: gcnet, idferm, occluded, unpaired"):
        claims("gcnett")


@pytest.mark.parametrize(
    ("id", "changes", "complaint"),
    [
        ("G003", {"tables": "9"}, r"claim G003: there is no table '9'; valid: 1, 2, 3, 4, 5"),
        ("G003", {"tables": ""}, "G003: there is no table ''"),
        ("G003", {"datasets": "CK+"}, r"G003: there is no dataset 'CK\+'; valid: CK\+ \(7 expressions\)"),
        ("G003", {"metrics": "F1"}, "G003: there is no metric 'F1'; valid: accuracy"),
        ("G003", {"left": "GCNet_S2R2"}, "G003: there is no row 'GCNet_S2R2'; valid: .*GCNet_S1R1"),
        ("G003", {"right": "*; not CNN"}, "G003: there is no row 'CNN'; valid: "),
        ("G015", {"right": "same @ MMI"}, "G015: there is no dataset 'MMI'; valid: .*MMI .6 expressions"),
        ("G003", {"right": "GCNet_S0R0", "left": "GCNet_S0R0"}, "G003: no column prints both"),
        ("U049", {"datasets": "Oulu-CASIA"}, "U049: no column prints both .* and 'IACNN'"),
        ("G003", {"relation": "beats"}, "G003: there is no relation 'beats'; valid: >, <"),
        ("G003", {"kind": "boast"}, "G003: there is no kind 'boast'; valid: ordering"),
        ("G003", {"expected": "often"}, "G003: there is no expected 'often'"),
        ("G003", {"page": "table9"}, "G003: there is no page 'table9'; valid: .*table2_ckplus7"),
        ("I025", {"page": "none"}, "I025: there is no page 'none'"),
        ("U011", {"expected": "much"}, "U011: 'much' is no sum of numbers"),
        ("U004", {"left": "676 + len('abc')"}, "U004: .* is no sum of numbers"),
        ("U057", {"right": ""}, "U057: facts needs a left and a right side"),
    ],
)
def test_a_claim_that_names_what_does_not_exist_is_refused(id, changes, complaint):
    check(EVERY[id])
    with pytest.raises(ClaimError, match=complaint):
        check(replace(EVERY[id], **changes))


def test_pairs_are_those_of_the_columns_that_print_both_numbers():
    pairs = [(a.dataset, a.metric, a.row, b.row) for a, b in EVERY["U042"].pairs]
    assert len(pairs) == len(set(pairs)) == 12 and {b for *_, b in pairs} == {"Wang et al.", "Pan et al."}
    assert len(EVERY["U001"].pairs) == 94  # two systems have no number on Oulu-CASIA
    turns = [(a.row[-4:], b.row[-4:]) for a, b in EVERY["G005"].pairs]
    assert turns == [("S1R0", "S0R0"), ("S1R1", "S0R1")] * 2
    across = {(a.row == b.row, a.dataset != b.dataset, b.dataset) for a, b in EVERY["G015"].pairs}
    assert across == {(True, True, "MMI (6 expressions)")}
    falling = [(a.row, b.row) for a, b in EVERY["I016"].pairs]
    assert len(falling) == 10 and [lower for _, lower in falling[:-1]] == [higher for higher, _ in falling[1:]]


def test_no_claim_is_a_line_of_its_paper():
    """Paraphrased: no claim may stand in quotation marks, and all are sentences of ours."""
    for one in EVERY.values():
        assert not re.search(r"[\"“”]", one.claim + one.note), one.id
        assert 10 < len(one.claim) < 140 and one.place, one.id


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * (5 + 5) / 2", 10), ("0.1 + 0.2", Fraction(3, 10)), ("12000 / 2600000", Fraction(6, 1300)), ("-3 - -4", 1),
        (" 2.50 ", Fraction(5, 2)),
    ],
)  # fmt: skip
def test_sums_are_exact(text, value):
    assert evaluated(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "abs(1)", "__import__('os').system('true')", "2 ** 9", "9 // 2", "1 if 1 else 2", "[1]", "(1, 2)",
        "'1'", "1 < 2", "True", "1j", "1e3", "1e999999999", "0x10", "1_000", "1 / 0", "().__class__", "1 +",
        "~1", "inf", "(" * 90 + "1" + ")" * 90 + "+" * 120, "1" * 300, "1\n2",
    ],
)  # fmt: skip
def test_nothing_else_is_evaluated(text):
    with pytest.raises(ValueError, match="is no sum of numbers; valid: digits"):
        evaluated(text)


def test_every_accuracy_of_a_paper_has_a_test_of_ours():
    for paper, numbers in published.tables().items():
        for number in numbers:
            for cell in published.cells(paper, number):
                if cell.unit == "%" and cell.metric != "identity errors":
                    assert len({one.printed for one in columns_of(cell)}) == 1, cell
    for paper in published.tables():
        for one in columns(paper):
            names = {cell.dataset for cell in published.cells(paper, one.table)} if one.table else {one.printed}
            assert one.printed in names and (one.images or one.table is None)


def test_numbers_keep_their_printed_digits_and_whose_they_are():
    cells = {(c.row, c.dataset): c for c in published.cells("occluded", 3)}
    assert cells["gACNN", "FED-RO"].text == "66.50" and not cells["gACNN", "FED-RO"].own
    assert cells["ResNet", "FED-RO"].own and cells["ResNet", "FED-RO"].metric == "accuracy"
    assert {c.metric for c in published.cells("idferm", 3)} == {"accuracy"}
    assert next(c for c in published.cells("idferm", 3) if c.row == "BNBN" and c.dataset == "MMI").value is None
