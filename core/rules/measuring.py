"""The stage that measures.

The records of the best rules are really removed, one rule after the other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.actions.influence import attributor_of
from core.actions.provenance import check_provenance
from core.actions.unlearn import unlearn, unlearners_for
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.metrics.catalog import metric_of
from core.metrics.compare import compare
from core.rules.asked import Asked, StoppedError
from core.rules.conditions import rule_text
from core.rules.gap import Gap
from core.rules.models import Models
from core.rules.rule import Rule, worth
from core.rules.steady import Steady
from core.rules.subset import Subset, share_asked
from core.typing import Feature, Positions, Progress
from core.unlearning.base import Guarantee

ATTEMPTS = 3
"""For every rule asked for, at most so many are removed to find it."""
AGAIN = "Measured by training the model again without these records"
REMOVED = "Measured by really removing these records"


@dataclass(frozen=True, eq=False)
class Removals:
    """Effects of really removing the records of rules.

    Parameters
    ----------
    subsets : tuple of Subset
        Those that close their share of the gap.
    n_tries, n_left_out : int
        Rules whose records were removed, and those of them that narrow the gap by too little.
    notes : tuple of str
    complete : bool
        False where the user stopped it.
    """

    subsets: tuple[Subset, ...] = ()
    n_tries: int = 0
    n_left_out: int = 0
    notes: tuple[str, ...] = ()
    complete: bool = True


def measure_rules(
    gap: Gap, models: Models, rules: tuple[Rule, ...], asked: Asked, top_k: int, report: Progress
) -> Removals:
    """Remove the records of the best rules until enough of these narrow the gap.

    One rule after the other; kept are those that narrow it by their share.

    Parameters
    ----------
    gap : Gap
    models : Models
    rules : tuple of Rule
        Best first, about different records each.
    asked : Asked
    top_k : int
        How many are enough.
    report : callable
    """
    start, case, method = time.monotonic(), models.case, removal_method(models.case)
    steady = Steady(Outcome.of(case, gap.metric, gap.feature, gap.on), gap.extremes)
    subsets: list[Subset] = []
    notes: list[str] = []
    tries = narrowing = left_out = 0
    for rule in rules:
        if narrowing == top_k or tries == ATTEMPTS * top_k:
            break
        if models.by_refit and tries and time.monotonic() - start > asked.seconds:
            notes.append(f"{tries} rules were measured within {asked.seconds:g} s.")
            break
        try:
            report(0.8 + 0.2 * narrowing / top_k, "Removing the records of the best rules")
        except StoppedError:
            return Removals(tuple(subsets), tries, left_out, tuple(notes), complete=False)
        tries += 1
        try:
            subset = measure(rule, steady, method=method, seed=asked.seed)
        except InputError as error:
            notes.append(f"Not measured, where {rule_text(rule.conditions)}: {error}")
            continue
        narrowing += subset is not None
        if subset is None or subset.responsibility < asked.min_responsibility:
            left_out += 1
        else:
            subsets.append(subset)
    return Removals(tuple(subsets), tries, left_out, tuple(notes))


def notes_on(removals: Removals, case: Case, asked: Asked, n_tried: int, *, complete: bool) -> list[str]:
    """Return how many rules were removed and are not shown.

    Where none is shown, what else there is to try.
    """
    found, least, n = [], share_asked(asked.min_responsibility), case.n_retained
    if removals.subsets and check_provenance(case).status == "mismatch":
        found.append(
            "The model does not come from these rows and labels, so that what a rule is said to be responsible for counts what training on them "
            "changes, too: train the model on them first (core.refit)."
        )
    if removals.subsets and removals.n_left_out:
        found.append(
            f"Not shown: {removals.n_left_out} of the {removals.n_tries} rules whose records were removed, as that closed less than {least} of the gap."
        )
    if not removals.subsets and complete:
        fewest, most = asked.counts(n)
        why = f"the {removals.n_tries} best were really removed" if removals.n_tries else "none is predicted to"
        found.append(
            f"No rule that holds for {fewest:,} to {most:,} of the {n:,} records narrows the gap by at least "
            f"{least}: of {n_tried:,} tried {why}. Widen the support bounds, allow more conditions, or give other bins or columns."
        )
    return found


def removal_method(case: Case) -> str:
    """Return how records are removed to measure a rule.

    As quickly as exactness or a certificate allows, else by refitting.
    """
    first = unlearners_for(case)[0]
    return "refit" if first.guarantee is Guarantee.APPROXIMATE else "auto"


def beside_a_preview(case: Case, method: str) -> str:
    """Return one sentence on how removing records by a method measured their change.

    And on whether a preview may give another.
    """
    try:
        with attributor_of(case) as attributor:
            own = attributor.beside_removal
    except NotSupportedError:
        return f"{AGAIN if method == 'refit' else REMOVED}; there is no preview for this model."
    if method != "refit":
        return own or f"{REMOVED}; a preview predicts the change, so it may give another figure."
    if unlearners_for(case)[0].name == method:
        return f"{AGAIN}, as a preview does."
    return (
        f"{AGAIN}; a preview keeps the structure the model has and predicts the change, so it may give another figure."
    )


def measure(rule: Rule, steady: Steady, *, method: str, seed: int) -> Subset | None:
    """Remove the records of a rule and return what that did.

    None where the gap is no smaller, or is no longer defined.

    Raises
    ------
    InputError
        If the records cannot be removed.
    """
    case, metric, on = steady.outcome.case, steady.outcome.metric.name, steady.outcome.on
    feature, positions = steady.extremes.feature, np.flatnonzero(case.retained)[rule.rows]
    forget = case.record_ids[positions]
    result = unlearn(case, forget, method=method)
    row = compare(case, result.case, on=on, metric=metric, sensitive_feature=[feature], seed=seed).iloc[0]
    short = metric_of(metric).short_of_best
    if not short(row["after"]) < short(row["before"]):
        return None
    signed = "signed_" if row["reversed"] else ""
    closes = float(steady.closes(result.case.scores(on)[None])[0])
    return Subset(
        conditions=rule.conditions,
        forget=forget,
        support=len(forget) / case.n_retained,
        metric=metric,
        before=float(row["before"]),
        after=float(row["after"]),
        predicted=rule.predicted,
        change=float(row[f"{signed}change"]),
        low=float(row[f"{signed}low"]),
        high=float(row[f"{signed}high"]),
        reversed=bool(row["reversed"]),
        levels_down=steady.levels_down(result.case),
        make_up=_make_up(case, feature, positions),
        sensitive=tuple(one.column for one in rule.conditions if one.column in case.roles.sensitive_features),
        method=result.method,
        guarantee=result.guarantee.value,
        beside_a_preview=beside_a_preview(case, result.method),
        scores_after=result.case.scores(on),
        worth=rule.stands_for * float(worth(closes, len(forget) / case.n_retained, len(rule.conditions))),
        notes=result.notes,
    )


def _make_up(case: Case, feature: Feature, positions: Positions) -> pd.DataFrame:
    """Return the records of a rule by group and label.

    And their share of all retained ones of that kind.
    """
    groups = case.groups(feature, "train")
    names = np.array(groups.names, dtype=object)
    kinds = pd.DataFrame({"group": names[groups.codes], "label": case.train_labels})
    whole = kinds[case.retained].value_counts()
    own = kinds.iloc[positions].value_counts().reindex(whole.index, fill_value=0)
    return pd.DataFrame({"n": own, "share": own / whole}).sort_index()
