"""Subject-disjoint folds: deterministic, certified, hashed."""

import pandas as pd

from fercore.faces.faceset import FaceSetError, check_folds
from fercore.storage import digest

N_FOLDS = 10  # all four papers


def fold_of(table: pd.DataFrame, n_folds: int = N_FOLDS) -> pd.Series:
    """The fold of every row: the manifest's ``fold`` column, else ``sorted(subjects)[k::n_folds]`` (GCNet, Sec. 4.2).

    Raises FaceSetError where the manifest puts a subject into two folds or numbers a fold outside 0..n_folds-1.
    """
    if "fold" not in table:
        number = {subject: i % n_folds for i, subject in enumerate(sorted(table["subject"].unique()))}
        return table["subject"].map(number)
    check_folds(table, "manifest")
    outside = table.index[~table["fold"].between(0, n_folds - 1)]
    if len(outside):
        raise FaceSetError(f"manifest: row {outside[0]} has fold {table['fold'][outside[0]]}; valid: 0..{n_folds - 1}")
    return table["fold"].astype(int)


def inner_fold_of(table: pd.DataFrame, testing: pd.Series, n_folds: int = N_FOLDS) -> pd.Series:
    """The inner fold of every row for choosing settings: all people but those of ``testing`` cut anew; these, -1."""
    training = table[~testing].drop(columns="fold", errors="ignore")
    return fold_of(training, n_folds).reindex(table.index, fill_value=-1)


def certificate(table: pd.DataFrame, n_folds: int = N_FOLDS) -> pd.DataFrame:
    """What each fold tests: subjects, sequences, images, images per class; asserts that no subject is on both sides."""
    fold = fold_of(table, n_folds)
    rows = []
    for k in range(n_folds):
        test, train = table[fold == k], table[fold != k]
        if both := set(test["subject"]) & set(train["subject"]):
            raise AssertionError(f"fold {k}: subjects {sorted(both)[:3]} on both sides")
        counts = test["label"].value_counts().to_dict()
        sequences = len(test[["subject", "sequence"]].drop_duplicates())
        rows.append(
            {"fold": k, "subjects": test["subject"].nunique(), "sequences": sequences, "images": len(test)} | counts
        )
    return pd.DataFrame(rows).fillna(0).astype(int).set_index("fold")


def fingerprint(table: pd.DataFrame, n_folds: int = N_FOLDS) -> str:
    """A short hash of who is in which fold."""
    pairs = sorted(set(zip(table["subject"], fold_of(table, n_folds), strict=True)))
    return digest(repr(pairs).encode())[:12]
