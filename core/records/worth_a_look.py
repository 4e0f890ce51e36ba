"""Records worth a look, found by comparing rows and not by what the model makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.arguments import check_number
from core.case.case import Case, check_case
from core.case.door import check_seed
from core.errors import InputError, listed
from core.former import formerly
from core.records.alike import Coded, firsts, shared
from core.records.measured_columns import measured_columns
from core.records.near import near_duplicates
from core.records.outliers import outlyingness
from core.records.record_groups import RecordGroup, WorthALook
from core.typing import Bools, Positions, Progress
from core.words import count, percent


@formerly()
def records_worth_a_look(
    case: Case, *, outlier_share: float = 0.01, seed: int = 0, progress: Progress | None = None
) -> WorthALook:
    """Find training records that leak into the test table, repeat, contradict or stand far off.

    Rows are compared in all columns but ids, the weight and those that nobody should look at, so that it needs neither a gap nor the model.
    O(n_records log n_records) for each column; outliers are ranked among 10,000 records at most, which takes seconds.

    Parameters
    ----------
    case : Case
    outlier_share : float
        Share of the records to list as far from all others.
    seed : int
        Seed of the outlier detectors.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    WorthALook
        By kind: ``in_test``, the same row stands in the test table, label included; ``contradicting``, alike in all columns but the label;
        ``repeated``, the same row as an earlier record, label included; ``near_duplicates``, which differ in one column only or in close numbers;
        ``outliers``, the farthest first.

    Raises
    ------
    InputError
        If the share does not lie between 0 and 1.

    Examples
    --------
    >>> import core, numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> table = pd.DataFrame({"income": np.linspace(-2, 2, 60), "sex": ["f", "m"] * 30})
    >>> table["granted"] = (table.income > 0).astype(int)
    >>> test = table.sample(20, random_state=0).assign(income=lambda rows: rows.income + 9)
    >>> test.iloc[0] = table.iloc[7]
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = core.Case(model, table, test, core.Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> found = records_worth_a_look(case)
    >>> found["in_test"].ids, len(found["contradicting"])
    ((7,), 0)
    """
    check_case(case)
    check_seed(seed)
    check_number("outlier_share", outlier_share)
    if not 0.0 < outlier_share < 1.0:
        raise InputError(f"`outlier_share` must lie between 0 and 1. Got {outlier_share!r}; 0.01 is usual.")
    report = progress or (lambda _share, _doing: None)
    report(0.0, "Comparing rows")
    look = _Look.at(case)
    groups = [_in_test(look), _contradicting(look), _repeated(look)]
    report(0.1, "Looking for near duplicates")
    groups.append(_near(look))
    report(0.3, "Looking for outliers")
    groups.append(_outliers(look, outlier_share, seed))
    report(1.0, "Done")
    return WorthALook(tuple(groups), len(look.table), tuple(look.notes))


@dataclass(frozen=True, eq=False)
class _Look:
    """The retained training rows, and the columns they are compared in."""

    case: Case
    table: pd.DataFrame
    coded: Coded
    """Without the label."""
    keys: Positions
    labels: Positions
    notes: list[str]

    @classmethod
    def at(cls, case: Case) -> _Look:
        roles, table = case.roles, case.train[case.retained]
        never = {roles.target, roles.record_id, roles.subject_id, roles.sample_weight, *roles.exclude}
        coded = Coded.of([name for name in table.columns if name not in never], table)
        notes = (
            [f"Left out, as their values cannot be compared: {listed(coded.left_out)}."]
            if coded.left_out
            else list[str]()
        )
        return cls(case, table, coded, coded.keys(), case.train_codes[case.retained].astype(np.intp), notes)

    @property
    def whole_keys(self) -> Positions:
        """Keys with the label."""
        return self.keys * len(self.case.classes) + self.labels

    def group(self, kind: str, rows: Positions, sentence: str, **columns: Any) -> RecordGroup:
        ids = self.case.retained_ids
        labels = self.case.train_labels[self.case.retained]
        return RecordGroup(kind, pd.DataFrame({"label": labels[rows], **columns}, index=ids[rows]), sentence)

    def who(self, n: int) -> str:
        """Name so many of the records as a sentence's subject."""
        return f"{count(n, 'record')} ({percent(n / len(self.table))})" if n else "No record"


def _in_test(look: _Look) -> RecordGroup:
    case, test, target = look.case, look.case.test, look.case.roles.target
    names = [name for name in (*look.coded.names, target) if name in test.columns]
    n = len(look.table)
    keys = Coded.of(names, look.table, test).keys()
    _, place = np.unique(keys, return_inverse=True)
    where = np.full(int(place.max()) + 1, -1, dtype=np.intp)
    where[place[n:][::-1]] = np.arange(len(test))[::-1]
    row = where[place[:n]]
    rows = np.flatnonzero(row >= 0)
    among = np.isin(place[n:], place[:n])
    own = percent(float(shared(keys[:n]).mean()))
    sentence = f"{look.who(len(rows))} {_verb(rows, 'stand')} in the test table, too" + (
        f", as {percent(float(among.mean()))} of its rows. Of the training records {own} have an equal among themselves: about as many "
        "test rows are to be expected to have one without a leak."
        if len(rows)
        else "."
    )
    return look.group("in_test", rows, sentence, test_row=case.test_ids[row[rows]])


def _contradicting(look: _Look) -> RecordGroup:
    counts = pd.crosstab(look.keys, look.labels).to_numpy()
    several = (counts > 0).sum(axis=1) > 1
    of = np.unique(look.keys, return_inverse=True)[1]
    rows = np.flatnonzero(several[of])
    own = counts[of[rows], np.searchsorted(np.unique(look.labels), look.labels[rows])]
    outvoted = own < counts.max(axis=1)[of[rows]]
    order = np.lexsort((rows, ~outvoted, of[rows]))
    sentence = f"{look.who(len(rows))} {_verb(rows, 'have')} another label than one alike in every column compared" + (
        f"; they are {count(int(several.sum()), 'set')}, and {int(outvoted.sum()):,} have the rarer label of theirs."
        if len(rows)
        else "."
    )
    sets = of[rows][order]
    columns = {"alike": pd.factorize(sets)[0] + 1, "others": counts.sum(axis=1)[sets] - 1, "outvoted": outvoted[order]}
    return look.group("contradicting", rows[order], sentence, **columns)


def _repeated(look: _Look) -> RecordGroup:
    first = firsts(look.whole_keys)
    rows = np.flatnonzero(first != np.arange(len(first)))
    sentence = f"{look.who(len(rows))} {_verb(rows, 'repeat')} an earlier one, label included."
    return look.group("repeated", rows, sentence, repeats=look.case.retained_ids[first[rows]])


def _near(look: _Look) -> RecordGroup:
    found = near_duplicates(look.table, look.coded)
    ids, labels = look.case.retained_ids, look.case.train_labels[look.case.retained]
    if found.common:
        look.notes.append(
            f"Near duplicates may not differ in {listed(found.common)}: without that column too many records are alike to be pointed out."
        )
    if found.coarse:
        look.notes.append("Close numbers are so common in this table that records which differ in them are not listed.")
    sentence = f"{look.who(len(found.rows))} {_verb(found.rows, 'differ')} from another in one column only, or in close numbers."
    columns = {
        "other": ids[found.others],
        "other_label": labels[found.others],
        "differs_in": found.differs,
    }
    return look.group("near_duplicates", found.rows, sentence, **columns)


def _outliers(look: _Look, share: float, seed: int) -> RecordGroup:
    X, left_out = measured_columns(look.table, look.coded.names)
    if left_out:
        look.notes.append(f"Left out of distances, having too many texts: {listed(left_out)}.")
    first = firsts(look.keys)
    distinct = np.unique(first)
    ranks, both = outlyingness(X[distinct], seed)
    place = np.searchsorted(distinct, first)
    known: Bools = np.isfinite(ranks[place])
    n = int(np.ceil(share * len(first))) if known.any() else 0
    rows = np.argsort(-ranks[place], kind="stable")[:n]
    sentence = (
        f"{look.who(n)} {_verb(rows, 'lie')} farthest from all others, the share asked for; two detectors, by their own cut-offs, call "
        f"{int(both[place][rows].sum()):,} of them outliers."
        if n
        else "There are too few distinct records, or no columns to measure distances in, to tell outliers."
    )
    return look.group("outliers", rows, sentence, outlyingness=ranks[place][rows], both=both[place][rows])


def _verb(rows: Positions, verb: str) -> str:
    """Return a verb as it follows "3 records", "1 record" or "No record"."""
    return verb if len(rows) > 1 else "has" if verb == "have" else f"{verb}s"
