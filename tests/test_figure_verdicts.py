"""The picture of all verdicts: every bar stands at the name of its paper."""

import pandas as pd

from fercore.figures.verdicts import verdict_bars
from fercore.published import NAMES

ROWS = pd.MultiIndex.from_tuples([("in print", "consistent in print"), ("in print", "contradicted in print")])


def test_every_bar_stands_at_the_name_of_its_paper():
    papers = list(NAMES)
    counts = pd.DataFrame({paper: [10 + n, 1 + n] for n, paper in enumerate(papers)}, index=ROWS).assign(all=0)
    (axis,) = verdict_bars(counts, ["in print"], "a stamp").axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    for verdict, bars in zip(ROWS.get_level_values(1), axis.containers, strict=True):
        widths = {names[round(bar.get_y() + bar.get_height() / 2)]: bar.get_width() for bar in bars}
        assert widths == {NAMES[paper]: counts.loc[("in print", verdict), paper] for paper in papers}
