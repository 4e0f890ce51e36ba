"""Results computed once and shared by all sessions, by name.

Names are made of case, kind, version and settings, never of the contents of a table.

The only file with Streamlit's own cache, which holds the one thing that keeps all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

import core
from core.actions.provenance import check_provenance
from core.case.verdict import Provenance
from core.metrics import AuditReport, audit
from core.metrics.audit import LEVEL, audit_arrays, sample_of
from core.metrics.audit import described_on as core_described_on
from core.metrics.catalog import metrics_of
from core.metrics.curves import calibration_curves, errors_by_group, roc_curves, threshold_sweep
from core.metrics.guardrails import Judged, judge
from core.metrics.intervals import wilson
from core.plans.utility import Utility
from core.typing import Feature
from dashboard import workspace
from dashboard.history import Steps, Version, Versions, revision
from dashboard.kept import Kept, ResultName
from dashboard.measures import Measure
from dashboard.records import record_table
from dashboard.retention import delete_unopened
from dashboard.tables import group_names
from dashboard.work import Work

QUICK_RESAMPLES = 250
"""For the verdict at every stop of the slider; what is selected or removed is judged with all of them."""


@st.cache_resource(show_spinner=False)
def versions() -> Versions:
    """Return the versions of all cases open on this server.

    They are kept with all else that is known of them.
    """
    return Versions(workspace.load, Kept())


def results() -> Kept:
    """Return the store of results kept for all sessions."""
    return versions().kept


@st.cache_resource(show_spinner=False, ttl="1h")
def swept() -> int:
    """Delete cases kept longer than promised, at most once an hour; return how many."""
    return delete_unopened()


def version(work: Work, at: int | None = None) -> Version:
    """Return a version of the open case: the one in force, or the one after `at` steps."""
    return versions().get(work.case_id, work.steps[: work.at if at is None else at])


def case(work: Work, at: int | None = None) -> core.Case:
    """Return the case of a version, with the decision threshold in force."""
    found = version(work, at).case
    return found if found.threshold == work.threshold else found.with_threshold(work.threshold)


def provenance(made: Versions, case_id: str) -> Provenance:
    """Return whether a case's model comes from its rows; callable from any thread."""
    verdict: Provenance = made.kept.make(
        (case_id, "provenance"), lambda: check_provenance(made.get(case_id).case), errors=False
    )
    return verdict


def warnings(made: Versions, case_id: str) -> tuple[str, ...]:
    """Return what speaks against a case's model belonging to its rows, as it was opened."""
    found: tuple[str, ...] = made.kept.make(
        (case_id, "warnings"), lambda: core.warnings_for(made.get(case_id).case), errors=False
    )
    return found


def key(work: Work, at: int | None = None) -> str:
    """Return what tells one version under one threshold from every other."""
    steps: Steps = work.steps[: work.at if at is None else at]
    return f"{work.case_id}:{revision(steps)}:{work.threshold!r}"


def name_of(work: Work, kind: str, *settings: Any, at: int | None = None) -> ResultName:
    """Return the name under which a thing that depends on a version is kept.

    By default that is the version in force.
    """
    return (work.case_id, kind, key(work, at), *settings)


def _made(work: Work, kind: str, make: Callable[[], Any], *settings: Any, at: int | None = None) -> Any:
    """Return what a page needs at once.

    Tables as copies that share their values, so that no page changes another's.
    """
    found = results().make(name_of(work, kind, *settings, at=at), make, errors=False)
    return found.copy(deep=False) if isinstance(found, pd.DataFrame) else found


def report(
    work: Work,
    metrics: Sequence[str] | None,
    features: Sequence[Feature] | None,
    at: int | None = None,
    *,
    on: str = "explore",
) -> AuditReport:
    """Return the audit of a version, on the rows searched unless told otherwise."""
    wanted = None if metrics is None else tuple(metrics)
    asked = None if features is None else tuple(features)

    def make() -> AuditReport:
        return audit(case(work, at), wanted, sensitive_feature=None if asked is None else list(asked), on=on)

    found: AuditReport = _made(work, "report", make, wanted, asked, on, at=at)
    return found


def rows_of_version(work: Work) -> str:
    """Return the rows that describe the version in force.

    All test rows for a model as opened, else those searched.
    """
    return core_described_on(case(work))


def _sizes(case: core.Case, feature: Feature) -> pd.DataFrame:
    groups = case.groups(feature, "train")
    known = pd.Series(group_names(groups))[case.retained].value_counts(sort=False)
    found = audit(case, ("base_rate",), sensitive_feature=[feature], on=core_described_on(case)).by_group.droplevel(0)
    return pd.DataFrame(
        {
            "train": known.reindex(found.index, fill_value=0).astype(int),
            "test": found["n"],
            "base_rate": found["base_rate"],
        },
        index=found.index,
    )


_TABLES: dict[str, Callable[..., pd.DataFrame]] = {
    "sizes": _sizes,
    "roc": lambda case, feature: roc_curves(case, feature, core_described_on(case)),
    "calibration": lambda case, feature: calibration_curves(case, feature, core_described_on(case)),
    "sweep": lambda case, metric, feature, positive, negative: threshold_sweep(
        case, metric, feature, cost_false_positive=positive, cost_false_negative=negative
    ),
    "errors": lambda case, feature, positive, negative: errors_by_group(
        case, feature, cost_false_positive=positive, cost_false_negative=negative
    ),
}


def table(work: Work, name: str, *settings: Any) -> pd.DataFrame:
    """Return a table of the version in force: sizes, roc, calibration, sweep or errors."""
    found: pd.DataFrame = _made(work, "table", lambda: _TABLES[name](case(work), *settings), name, *settings)
    return found


def predicted_audit(work: Work, metrics: Sequence[str], scores: Any) -> AuditReport:
    """Return the audit of the model as predicted without the selected records.

    It is made from its predicted scores.
    """
    wanted = tuple(metrics)
    found: AuditReport = _made(
        work,
        "reported preview",
        lambda: audited_scores(work, wanted, scores),
        wanted,
        work.feature,
        hash(work.selection),
        work.edit,
    )
    return found


def predicted(work: Work, scores: Any) -> Judged:
    """Return what removing the selected records is predicted to do, from the predicted scores.

    Whether it is fairer, and what changes.
    """

    def make() -> Judged:
        one = case(work)
        return judge(one, one, work.metric, work.feature, scores=scores, forget=work.selection, briefly=True)

    found: Judged = _made(work, "predicted", make, work.metric, work.feature, hash(work.selection), work.edit)
    return found


def judged_scores(work: Work, scores: Any, forget: Any) -> core.Guardrails:
    """Return the guardrails of a predicted removal, from scores and with fewer resamples.

    The caller keeps them.
    """
    one = case(work)
    return core.guardrails(
        one,
        one,
        metric=work.metric,
        sensitive_feature=work.feature,
        scores=scores,
        forget=forget,
        n_resamples=QUICK_RESAMPLES,
    )


def audited_scores(work: Work, metrics: Sequence[str], scores: Any) -> AuditReport:
    """Return the audit of predicted scores on the rows searched; kept by the caller."""
    one = case(work)
    return audit_arrays(
        sample_of(one, "explore", scores), [one.groups(work.feature, "explore")], metrics_of(tuple(metrics))
    )


def shifted(work: Work) -> Judged:
    """Return what all steps together did, paired: the model as opened and the one in force."""

    def make() -> Judged:
        return judge(case(work, 0), case(work), work.metric, work.feature, briefly=True)

    found: Judged = _made(work, "shifted", make, work.metric, work.feature)
    return found


def changed(work: Work) -> Judged:
    """Return what the last step really did, paired."""

    def make() -> Judged:
        return judge(case(work, work.at - 1), case(work), work.metric, work.feature, briefly=True)

    found: Judged = _made(work, "changed", make, work.metric, work.feature)
    return found


def judged_between(work: Work, one: int, other: int) -> Judged:
    """Return what two versions do on the same rows, paired, whichever of them was made first."""
    first, second = work.going(one), work.going(other)

    def make() -> Judged:
        return judge(case(first), case(second), work.metric, work.feature, briefly=True)

    found: Judged = _made(first, "compared", make, key(second), work.metric, work.feature)
    return found


def known_verdict(work: Work) -> Judged | None:
    """Return what all steps together did, or else the last, where a page has asked before."""
    kept = (results().peek(name_of(work, kind, work.metric, work.feature)) for kind in ("shifted", "changed"))
    return next((found for found in kept if found is not None), None)


def is_kept(work: Work) -> bool:
    """Return whether the version in force needs no replaying."""
    return versions().peek(work.case_id, work.applied) is not None


def confirmed(work: Work) -> pd.DataFrame:
    """Return the chosen gap and accuracy, opened and now, on the rows kept aside.

    A look that is counted and kept with the case.
    """

    def make() -> pd.DataFrame:
        opened, now = case(work, 0), case(work)
        table = core.compare(
            opened, now, metric=[work.metric, "accuracy"], sensitive_feature=[work.feature], on="confirm"
        )
        mine = [list(look) for look in now.looks.entries]
        workspace.note(
            work.case_id,
            lambda kept: {
                **kept,
                "looks": sorted([*mine, *(look for look in kept.get("looks", []) if look not in mine)]),
            },
        )
        return table

    found: pd.DataFrame = _made(work, "confirmed", make, work.metric, work.feature)
    return found


def utility(work: Work, measure: Measure, at: int | None = None) -> float:
    """Return the utility of a version on the rows explored."""

    def make() -> float:
        one = case(work, at)
        return float(Utility.of(one, measure.name, measure.cost(), "explore").value(one, "explore"))

    found: float = _made(work, "utility", make, measure, at=at)
    return found


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share."""
    one: Any = pd.Series([share]).to_numpy()
    low, high = wilson(one, one * 0 + n, LEVEL)
    return float(low[0]), float(high[0])


def is_foreign(work: Work, at: int | None = None) -> bool:
    """Return whether a version comes from other rows or labels than the case's.

    By default that is the version in force.

    Only a model as opened can: every step, whatever it does, ends in training on the case's rows.
    """
    return (work.at if at is None else at) == 0 and provenance(versions(), work.case_id).status == "mismatch"


def records_with_effects(work: Work, found: Sequence[pd.Series[float]]) -> pd.DataFrame:
    """Return all training records with their influence on gap and loss.

    `found` is as `effects` of a page gave it; removed records have what they had.
    """
    gap, loss, gap_opened, loss_opened = found

    def make() -> pd.DataFrame:
        return record_table(case(work), gap.combine_first(gap_opened), loss.combine_first(loss_opened), work.feature)

    table: pd.DataFrame = _made(work, "records", make, work.metric, work.feature)
    return table


def loss_of(one: core.Case) -> str:
    """Return the loss that influence is also taken on."""
    return "log_loss" if one.score_kind == "probability" else "zero_one_loss"
