"""Tables: the printed numbers beside ours, by hand; what is missing stays missing."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from factories import gcnet, small_faces
from result_factories import judged, store, store_all, study

from fercore import paths, tables
from fercore.evaluation import Interval
from fercore.faces.protocols import SIX
from fercore.papers.gcnet import TIERS, VARIANTS, GCNet
from fercore.tables.columns import points
from fercore.tables.page import TOO_NARROW
from fercore.tables.verdicts import readable

ROWS = ("CNN", "S0R0", "S1R0", "S0R1", "S1R1")
RIGHT = {  # CNN: 50 % and 100 %; S1R1: 75 % and 100 %
    ("CNN", 0): [True, True, False, False], ("CNN", 1): [True, True],
    ("S1R1", 0): [True, True, True, False], ("S1R1", 1): [True, True],
}  # fmt: skip
PRINTED = {  # by the paper's table, in its order
    2: [96.94, 97.08, 97.83, 97.53, 97.93], 3: [95.47, 95.74, 96.75, 96.50, 97.28],
    4: [77.68, 76.20, 78.86, 77.00, 81.53], 5: [83.96, 84.65, 86.39, 85.83, 86.11],
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("prepared_faces")


@pytest.mark.parametrize("number", PRINTED)
def test_printed_numbers_stand_beside_the_right_rows(number):
    asked = store_all(study(ROWS), {(variant, 0): [True] * (i + 1) + [False] for i, variant in enumerate(ROWS)})
    table = tables.accuracies(asked, number)
    ours = table[table["ours %"].notna()]
    assert ours.index.tolist() == ["CNN (baseline)", *(f"GCNet_{row}" for row in ROWS[1:])]
    assert ours["printed %"].tolist() == PRINTED[number]
    assert ours["ours %"].tolist() == pytest.approx([100 * n / (n + 1) for n in range(1, 6)])
    assert table.index[-1] == "GCNet_S1R1"  # Table 3 prints S0R0 twice; its last row is S1R1
    cited = table[table["ours %"].isna()]
    assert len(cited) >= 3 and not cited.index.str.contains("GCNet|CNN \\(baseline").any()
    assert cited["printed %"].notna().all() and cited.drop(columns="printed %").isna().all(axis=None)
    assert tables.printed_by_variant(asked, number).to_dict() == dict(zip(ROWS, PRINTED[number], strict=True))


def test_row_that_the_paper_does_not_print_is_named_so():
    table = tables.accuracies(store_all(study(["CNN", "metricCNN"]), {("metricCNN", 0): [True]}), 2)
    row = table.loc["metricCNN (not in the paper's table)"]
    assert np.isnan(row["printed %"]) and row["ours %"] == 100


def test_ours_is_the_mean_of_unequal_folds_and_pooled_over_images():
    row = tables.accuracies(store_all(study(), RIGHT), 2).loc["GCNet_S1R1"]
    assert row["ours %"] == pytest.approx(87.5)  # (75 + 100) / 2
    assert row["pooled % [95 %]"].startswith("83.3 [")  # 5 of 6
    assert row["folds"] == "2/10"
    assert row["macro F1 %"] == pytest.approx(60)  # anger, contempt, disgust 1; fear, called happiness: 0 for both


def test_missing_variant_and_missing_folds_are_shown_as_missing():
    table = tables.accuracies(store_all(study(("CNN", "S0R0", "S1R1")), RIGHT | {("CNN", 1): None}), 2)
    assert table.loc["CNN (baseline)", "folds"] == "1/10" and table.loc["CNN (baseline)", "ours %"] == 50
    assert table.loc["GCNet_S0R0", "folds"] == "0/10" and np.isnan(table.loc["GCNet_S0R0", "ours %"])
    own = tables.own_accuracies(study(("CNN", "S0R0", "S1R1")))
    assert own["folds"].tolist() == ["1/10", "0/10", "2/10"]


def test_other_systems_stand_above_ours_without_a_printed_column():
    other = judged([True, False], fold=3).assign(fold=3)
    table = tables.own_accuracies(store_all(study(), RIGHT), others={"HOG": other})
    assert table.index.tolist() == ["HOG", "CNN", "S1R1"] and "printed %" not in table
    assert table["ours %"].tolist() == pytest.approx([50, 75, 87.5])
    assert table["folds"].tolist() == ["1/10", "2/10", "2/10"]


def test_per_fold_is_missing_where_nothing_was_run():
    table = tables.per_fold(store_all(study(("CNN", "S0R0", "S1R1")), RIGHT))
    assert table.shape == (3, 10) and table.columns.tolist() == list(range(10))
    assert table.loc["CNN", [0, 1]].tolist() == [50, 100] and table.loc["S1R1", [0, 1]].tolist() == [75, 100]
    assert table.loc["S0R0"].isna().all() and table.loc[:, 2:].isna().all(axis=None)
    assert "–" in tables.shown(table, "").to_html()


def test_gain_is_ours_minus_the_baseline_with_the_printed_gain():
    row = tables.gains(store_all(study(), RIGHT), 2).loc["S1R1"]
    assert row["ours"] == pytest.approx(100 / 6)  # 5 of 6 against 4 of 6
    assert row["printed"] == pytest.approx(0.99)
    assert row["low"] <= row["ours"] <= row["high"]


@pytest.mark.parametrize(("ours", "base", "reading"), [
    ([True] * 40, [False] * 40, "interval above zero"), ([False] * 40, [True] * 40, "interval below zero"),
    ([True, False] * 20, [False, True] * 20, "undecided"),
], ids=["better", "worse", "as good"])  # fmt: skip
def test_gain_has_the_right_sign_and_reading(ours, base, reading):
    row = tables.gains(store_all(study(folds=[0]), {("CNN", 0): base, ("S1R1", 0): ours})).loc["S1R1"]
    assert row["ours"] == 100 * (np.mean(ours) - np.mean(base))
    assert row["reading"] == reading


def test_gains_tell_whatever_the_page_says_that_their_intervals_are_too_narrow():
    asked = store_all(study(), RIGHT)
    for gains in (tables.gains(asked, 2), tables.gains_by_column([tables.Column("CK+ (7 expressions)", asked)], 2)):
        caption = tables.shown(gains, "stamp").caption
        assert caption.startswith("stamp · an interval over a dozen people is too narrow")
    assert tables.shown(tables.accuracies(asked, 2), "stamp").caption == "stamp"


@pytest.mark.parametrize(("gap", "note"), [
    ((0.1, 0.02, 0.3), True), ((-0.1, -0.3, -0.02), True), ((0.1, -0.02, 0.3), False),
])  # fmt: skip
def test_any_table_with_an_arrow_says_that_intervals_are_too_narrow(gap, note):
    table = pd.DataFrame({"accuracy": [0.5], "gain": [points(Interval(*gap))], "none": [None]})
    assert tables.shown(table, "stamp").caption == "stamp" + f" · {TOO_NARROW}" * note
    assert tables.shown(table, tables.TESTED).caption == tables.TESTED  # says so already


def test_gain_is_paired_image_by_image():
    """The same mistakes make a gain of exactly zero; unpaired intervals would be wide."""
    answers = [True, True, False] * 10
    row = tables.gains(store_all(study(folds=[0]), {("CNN", 0): answers, ("S1R1", 0): answers})).loc["S1R1"]
    assert row[["ours", "low", "high"]].tolist() == [0, 0, 0] and row["reading"] == "undecided"


@pytest.mark.parametrize("there", [
    {("CNN", 0): [True, False]},
    {("S1R1", 0): [True, False]},
    {("CNN", 0): [True, False], ("CNN", 1): [True], ("S1R1", 0): [True, True]},
    {("CNN", 0): [True, False], ("S1R1", 1): [True, True]},
], ids=["no variant", "no baseline", "fewer folds", "other folds"])  # fmt: skip
def test_gain_over_other_images_is_missing(there):
    table = tables.gains(store_all(study(), there), 2)
    assert table.reindex(["S1R1"]).reindex(columns=["ours", "low", "high"]).isna().all(axis=None)


def test_early_errors_are_counted_with_their_ratio_to_the_first_variant():
    asked = study()
    wrong = {("CNN", 0): 6, ("CNN", 1): 2, ("S1R1", 0): 3, ("S1R1", 1): 1}  # of 10 early frames each
    for spec in asked.specs:
        early = [False] * wrong[spec.variant, spec.fold] + [True] * (10 - wrong[spec.variant, spec.fold])
        store(spec, judged([True], spec.fold), judged(early, spec.fold, 100 * spec.fold))
    table = tables.early_errors(asked)
    assert table["frames"].tolist() == [20, 20] and table["errors"].tolist() == [8, 4]
    assert table["error rate %"].tolist() == [40, 20]
    assert table.loc["S1R1", "ratio [95 %]"].startswith("0.50 [") and pd.isna(table.loc["CNN", "ratio [95 %]"])


@pytest.mark.parametrize("folds", [{("CNN", 0), ("S1R1", 1)}, {("CNN", 0)}, {("CNN", 0), ("CNN", 1), ("S1R1", 0)}],
                         ids=["other folds", "none", "fewer folds"])  # fmt: skip
def test_ratio_of_early_errors_on_other_frames_is_missing(folds):
    asked = study()
    for spec in asked.specs:
        if (spec.variant, spec.fold) in folds:
            store(spec, judged([True], spec.fold), judged([False, True, True], spec.fold, 100 * spec.fold))
    table = tables.early_errors(asked)
    assert table.reindex(columns=["ratio [95 %]"]).reindex(["S1R1"]).isna().all(axis=None)


def test_no_early_frames_is_no_error_of_the_page():
    asked = store_all(study(folds=[0]), {("CNN", 0): [True], ("S1R1", 0): [True]})
    table = tables.early_errors(asked)
    assert table["frames"].tolist() == [0, 0]
    assert table.reindex(columns=["error rate %", "ratio [95 %]"]).isna().all(axis=None)  # of nothing: no number


def test_identification_stands_beside_guessing():
    run = store(study().specs[0], judged([True, True, True, False]), classes=["a", "b", "c", "d"])
    (row,) = tables.identification(run).reset_index().to_dict("records")
    assert (row["people"], row["held-out images"], row["guessing %"]) == (4, 4, 25)
    assert row["recognised % [95 %]"].startswith("75.0 [")


def test_exactly_the_two_decoder_lines_that_the_paper_misprints_disagree():
    live = tables.architecture(GCNet(TIERS["paper"], 7, VARIANTS["S1R1"]))
    table = tables.beside_printed_architecture(live)
    assert len(table) == 18
    differing = table[table["agree"] == "no"]
    assert differing.index.tolist() == ["Decoder layer 1", "Decoder layer 2"]
    assert differing["quantity"].tolist() == ["DeConv filters"] * 2
    assert differing[["printed", "live"]].to_numpy().tolist() == [[32, 64], [64, 32]]
    assert "Decoder layer 2" in tables.shown(table, "stamp").to_html()  # a line stands in several rows


def test_architecture_counts_layers_and_weights_of_the_live_modules():
    method = gcnet(VARIANTS["S1R1"], widths=(3, 4, 5))
    table = tables.architecture(method)
    assert table.index.get_level_values("network").unique().tolist() == ["En1", "De1", "En2", "De2r", "De2i"]
    row = table.loc[("En1", 2)]
    assert (row["operation"], row["kernel"], row["filters"], row["pooling window"]) == ("Conv", 3, 4, 3)
    assert row["weights"] == 3 * 4 * 9 + 4 + 2 * 4  # kernel, bias, normalisation
    assert table.loc[("De1", 3), "filters"] == 1 and table.loc[("De1", 3), "operation"] == "DeConv"
    assert table.loc["En1", "weights"].sum() == sum(p.numel() for p in method.En1.parameters())


def test_shapes_are_those_of_the_paper_at_64_pixels():
    table = tables.shapes(GCNet(TIERS["paper"], 7, VARIANTS["S1R1"]))
    assert table["shape"].to_dict() == {
        "image": "1 x 64 x 64", "En1 layer 1": "32 x 64 x 64", "En1 layer 2": "64 x 32 x 32",
        "En1 layer 3": "96 x 16 x 16", "De1 layer 1": "64 x 16 x 16", "De1 layer 2": "32 x 32 x 32",
        "De1 layer 3": "1 x 64 x 64", "code": "96 x 8 x 8", "first fully connected layer": "384",
    }  # fmt: skip


def test_measuring_shapes_leaves_no_hook():
    method = gcnet(VARIANTS["S1R1"])
    tables.shapes(method)
    assert not any(module._forward_hooks for module in method.modules())


def test_terms_are_the_variants():
    table = tables.terms("gcnet")
    assert table.index.tolist() == list(VARIANTS)
    for variant, kept in VARIANTS.items():
        assert set(table.columns[table.loc[variant] == "yes"]) == set(kept)
    assert set(table.to_numpy().ravel()) == {"yes", ""}


def test_certificate_counts_people_sequences_and_classified_images():
    table = tables.fold_certificate(study())
    assert table["subjects"].tolist() == [3] * 4 + [2] * 6  # 24 people in ten folds
    assert table["sequences"].tolist() == [21] * 4 + [14] * 6
    assert table["classified images"].tolist() == [63] * 4 + [42] * 6  # the last three of each


def test_certificate_has_the_folds_of_its_protocol(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    small_faces(22, ("laughter", "posed_laughter", "speech"), 2).save(tmp_path / "prepared" / "mahnob")
    table = tables.fold_certificate(study(dataset="mahnob"))
    assert len(table) == 22 and (table["subjects"] == 1).all()  # one person is left out at a time
    assert (table["sequences"] == 3).all() and (table["classified images"] == 2).all()  # speech is no class
    wild = small_faces(12, SIX, 2)
    wild.table["split"] = ["test" if subject > "S008" else "train" for subject in wild.table["subject"]]
    wild.save(tmp_path / "prepared" / "rafdb")
    (tested,) = tables.fold_certificate(study(dataset="rafdb")).to_dict("records")  # the publishers' division
    assert tested == {"subjects": 3, "sequences": 18, "classified images": 36}


def test_facts_are_what_the_run_noted():
    run = store(study().specs[0], judged([True] * 4), seconds=12.5, images={"train": 33, "test": 4})
    noted = tables.facts(run)["value"]
    assert (noted["images to train on"], noted["images tested"], noted["people tested"]) == (33, 4, 2)
    assert noted["image size"] == 16 and 12.5 in noted.tolist() and noted["classes"].startswith("anger, contempt")


def test_saved_table_begins_with_its_stamp_and_is_read_back(prepared_faces):
    table = tables.per_fold(store_all(study(), RIGHT))
    tables.save(table, "probe", "tier smoke · folds 0, 1")
    file = prepared_faces / "tables" / "probe.csv"
    assert file.read_text().splitlines()[0] == "# tier smoke · folds 0, 1"
    back = pd.read_csv(file, comment="#", index_col=0).rename(columns=int)
    pd.testing.assert_frame_equal(back, table, check_names=False)
    assert [f.name for f in file.parent.iterdir()] == ["probe.csv"]


def test_table_that_cannot_be_written_leaves_the_old_one(prepared_faces, monkeypatch):
    tables.save(pd.DataFrame({"a": [1]}), "probe", "first")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tables.save(pd.DataFrame({"a": [2]}), "probe", "second")
    (file,) = (paths.results() / "tables").iterdir()
    assert file.read_text().startswith("# first")


def test_shown_table_has_the_stamp_as_caption_and_a_dash_for_what_is_missing():
    page = tables.shown(pd.DataFrame({"a": [1.23456, np.nan]}), "tier smoke · seeds 0").to_html()
    assert "<caption>tier smoke · seeds 0</caption>" in page and "1.23<" in page and "–" in page


WORDS = {"a's & b": ["l_o > l_c", "$x < y$"], "n": [1.23456, np.nan]}
MARKUP = "<script>alert('&amp;')</script>"


@pytest.mark.parametrize("show", [tables.shown, tables.worded, readable], ids=lambda show: show.__name__)
def test_a_shown_table_is_text_and_not_markup(show):
    table = pd.DataFrame({MARKUP: [MARKUP]}, index=[MARKUP])
    page = BeautifulSoup(show(table, MARKUP).to_html(), "html.parser")
    said = [cell.get_text(strip=True) for cell in page.select("th.col_heading, th.row_heading, td, caption")]
    assert said == [MARKUP] * 4 and not page.select("script")


@pytest.mark.parametrize("index", [["a", "a"], pd.MultiIndex.from_tuples([("a", "b"), ("a", 0.5)], names=["x", "y"])])
def test_a_shown_table_reads_as_pandas_would_show_it(index):
    table, stamp = pd.DataFrame(WORDS, index=index), "DeBruine & Jones's, $p < 1$"
    plain = table.style.format(precision=2, na_rep="–").set_caption(stamp).set_uuid("one").to_html()
    assert text_of(tables.shown(table, stamp).set_uuid("one").to_html()) == text_of(plain)


def text_of(page: str) -> list[tuple]:
    """Every element of a table: its kind, its place and what it says."""
    elements = BeautifulSoup(page, "html.parser").find("table").find_all(True)
    return [(one.name, one.get("id"), one.get("class"), one.get_text(strip=True)) for one in elements]


def test_images_learned_are_those_the_runs_noted_alike_for_every_row(unpaired_study):
    table = tables.images_learned([unpaired_study])
    counts = {run.about["images"]["train"] for run in unpaired_study.runs("ResNet")}
    assert table.index.tolist() == list(unpaired_study.variants) and table["mmse4"].nunique() == 1
    assert table.loc["Ours", "mmse4"] == ", ".join(map(str, sorted(counts)))
