"""What is computed once and shared by all sessions; the only file with Streamlit's caches.

Results are immutable and keyed by case, version and settings, never by the contents of a table.
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
from core.metrics.intervals import wilson
from core.plans.utility import Utility
from dashboard import workspace
from dashboard.history import Steps, Version, Versions, revision
from dashboard.measures import Measure
from dashboard.records import record_table
from dashboard.results import Results
from dashboard.tables import named
from dashboard.work import Feature, Work

MOST_RESULTS = 256


@st.cache_resource(show_spinner=False)
def versions() -> Versions:
    """Return the versions of all cases open on this server."""
    return Versions(workspace.load)


@st.cache_resource(show_spinner=False)
def results() -> Results:
    """Return the results that pages had made off their thread."""
    return Results(MOST_RESULTS)


@st.cache_resource(show_spinner=False, ttl="1h")
def swept() -> int:
    """Delete cases kept longer than promised, at most once an hour; return how many."""
    return workspace.sweep()


def version(work: Work, at: int | None = None) -> Version:
    """Return a version of the open case: the one in force, or the one after `at` steps."""
    return versions().get(work.case_id, work.steps[: work.at if at is None else at])


def case(work: Work, at: int | None = None) -> core.Case:
    """Return the case of a version, with the decision threshold in force."""
    found = version(work, at).case
    return found if found.threshold == work.threshold else found.with_threshold(work.threshold)


def provenance(made: Versions, case_id: str) -> Provenance:
    """Return whether a case's model comes from its rows; callable from any thread."""
    verdict: Provenance = made.remember(case_id, "provenance", lambda: check_provenance(made.get(case_id).case))
    return verdict


def key(work: Work, at: int | None = None) -> str:
    """Return what tells one version under one threshold from every other."""
    steps: Steps = work.steps[: work.at if at is None else at]
    return f"{work.case_id}:{revision(steps)}:{work.threshold!r}"


def report(
    work: Work,
    metrics: Sequence[str] | None,
    features: Sequence[Feature] | None,
    at: int | None = None,
    *,
    on: str = "explore",
) -> AuditReport:
    """Return the audit of a version, on the rows searched unless told otherwise."""
    return _report(
        key(work, at),
        None if metrics is None else tuple(metrics),
        None if features is None else tuple(features),
        on,
        case(work, at),
    )


def described_on(work: Work) -> str:
    """Return the rows that describe the version in force: all test rows for a model as opened, else those searched."""
    return core_described_on(case(work))


@st.cache_resource(show_spinner=False, max_entries=MOST_RESULTS)
def _report(
    version_key: str,  # noqa: ARG001
    metrics: tuple[str, ...] | None,
    features: tuple[Feature, ...] | None,
    on: str,
    _case: core.Case,
) -> AuditReport:
    return audit(_case, metrics, sensitive_feature=None if features is None else list(features), on=on)


@st.cache_resource(show_spinner=False, max_entries=MOST_RESULTS)
def _table(version_key: str, name: str, settings: tuple[Any, ...], _case: core.Case) -> pd.DataFrame:  # noqa: ARG001
    return _TABLES[name](_case, *settings)


def _sizes(case: core.Case, feature: Feature) -> pd.DataFrame:
    groups = case.groups(feature, "train")
    known = pd.Series(named(groups))[case.retained].value_counts(sort=False)
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
    """Return one of the tables "sizes", "roc", "calibration", "sweep" and "errors" of the version in force."""
    return _table(key(work), name, settings, case(work))


def preview(work: Work, metrics: Sequence[str], scores: Any) -> AuditReport:
    """Return the audit of the model as it is predicted to be without the selected records, from its predicted scores."""
    return _preview(key(work), (tuple(metrics), work.feature, hash(work.selection)), case(work), work.feature, scores)


@st.cache_resource(show_spinner=False, max_entries=16)
def _preview(
    version_key: str,  # noqa: ARG001
    settings: tuple[Any, ...],
    _case: core.Case,
    _feature: Feature,
    _scores: Any,
) -> AuditReport:
    groups = [_case.groups(_feature, "explore")]
    return audit_arrays(sample_of(_case, "explore", _scores), groups, metrics_of(settings[0]))


def predicted(work: Work, scores: Any, metrics: Sequence[str] | None, features: Sequence[Feature]) -> pd.DataFrame:
    """Return what removing the selected records is predicted to change, from the predicted scores."""
    settings = (None if metrics is None else tuple(metrics), tuple(features), hash(work.selection))
    return _predicted(key(work), settings, case(work), scores)


@st.cache_resource(show_spinner=False, max_entries=32)
def _predicted(version_key: str, settings: tuple[Any, ...], _case: core.Case, _scores: Any) -> pd.DataFrame:  # noqa: ARG001
    metrics, features, _ = settings
    return core.compare(_case, _case, metric=metrics, sensitive_feature=list(features), scores=_scores)


def changed(work: Work) -> pd.DataFrame:
    """Return what the last step really changed, paired, for the chosen sensitive feature."""
    return _changed(key(work), (work.feature,), case(work, work.at - 1), case(work))


@st.cache_data(max_entries=64, show_spinner=False)
def _changed(version_key: str, settings: tuple[Any, ...], _before: core.Case, _after: core.Case) -> pd.DataFrame:  # noqa: ARG001
    return core.compare(_before, _after, sensitive_feature=list(settings))


def confirmed(work: Work) -> pd.DataFrame:
    """Return the chosen gap and accuracy, opened and now, on the rows kept aside; a look that is counted and kept with the case."""
    return _confirmed(key(work), (work.case_id, work.metric, work.feature), case(work, 0), case(work))


@st.cache_resource(max_entries=64, show_spinner=False)
def _confirmed(
    version_key: str,  # noqa: ARG001
    settings: tuple[str, str, Feature],
    _opened: core.Case,
    _now: core.Case,
) -> pd.DataFrame:
    case_id, metric, feature = settings
    found = core.compare(_opened, _now, metric=[metric, "accuracy"], sensitive_feature=[feature], on="confirm")
    workspace.write(case_id, {"looks": [list(look) for look in _now.looks.entries]})
    return found


def utility(work: Work, measure: Measure, at: int | None = None) -> float:
    """Return the utility of a version on the rows explored."""
    return _utility(key(work, at), measure, case(work, at))


@st.cache_data(max_entries=MOST_RESULTS, show_spinner=False)
def _utility(version_key: str, measure: Measure, _case: core.Case) -> float:  # noqa: ARG001
    asked = Utility.of(_case, measure.name, measure.cost(), "explore")
    return float(asked.value(_case, "explore"))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share."""
    one: Any = pd.Series([share]).to_numpy()
    low, high = wilson(one, one * 0 + n, LEVEL)
    return float(low[0]), float(high[0])


def is_foreign(work: Work, at: int | None = None) -> bool:
    """Return whether a version, by default the one in force, comes from other rows or labels than the case's.

    Only a model as opened can: every step, whatever it does, ends in training on the case's rows.
    """
    return (work.at if at is None else at) == 0 and provenance(versions(), work.case_id).status == "mismatch"


def records(work: Work, found: Sequence[pd.Series[float]]) -> pd.DataFrame:
    """Return all training records with their influence on gap and loss, as `effects` of a page gave it; removed ones with what they had."""
    return _records(key(work), work.metric, work.feature, case(work), list(found))


def loss_of(one: core.Case) -> str:
    """Return the loss that influence is also taken on."""
    return "log_loss" if one.score_kind == "probability" else "zero_one_loss"


@st.cache_resource(show_spinner=False, max_entries=32)
def _records(
    version_key: str,  # noqa: ARG001
    metric: str,  # noqa: ARG001
    feature: Feature,
    _case: core.Case,
    _found: list[pd.Series[float]],
) -> pd.DataFrame:
    gap, loss, gap_opened, loss_opened = _found
    return record_table(_case, gap.combine_first(gap_opened), loss.combine_first(loss_opened), feature)
