"""The content of an entry about a removal: what was done, and what that did.

No record is named in it.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd

import core
from core.case.case import Case
from core.case.group_thresholds import scorer
from core.case.identity import digest_of_content
from core.case.scoring import final_estimator
from core.errors import InputError, InputTypeError
from core.json_values import rows_for_json, value_for_json
from core.ledger.signing import Keys
from core.metrics.audit import LEVEL, N_RESAMPLES, audit
from core.metrics.guardrails.guard import MAX_UTILITY_DROP
from core.metrics.guardrails.judge import judge
from core.metrics.guardrails.result import Guardrails
from core.metrics.policy import PROFILES, threshold, verdict_on
from core.metrics.report import AuditReport
from core.metrics.samples import feature_name
from core.mitigation.base import Mitigation
from core.plans.plan import Plan
from core.plans.random_removals import band
from core.plans.take_harmful import HarmfulRecords
from core.rules.explanation import Explanation
from core.rules.subset import Subset
from core.typing import Feature
from core.unlearning.base import UnlearnResult
from core.verification.retrain_gap import RetrainGap

CONTENT = 1
"""Of what an entry of a removal says. Entries of earlier numbers stay as they are; the report reads them all."""
PACKAGES = (
    *("numpy", "scipy", "pandas", "scikit-learn", "fairlearn", "numba"),
    *("xgboost", "xgboost-cpu", "lightgbm", "catboost"),
)

SearchResult: TypeAlias = Plan | HarmfulRecords | Explanation | Subset | Sequence[Subset]
"""A search that found records."""


@runtime_checkable
class ProofToWrite(Protocol):
    """A proof of a removal that can be written down, as `core.verify` gives."""

    def to_dict(self) -> dict[str, Any]:
        """Return what it found as plain values, without ids of records."""


@dataclass(frozen=True)
class AppendRequest:
    """The rows and the gap to judge by, and what belongs to a removal.

    Parameters of `Ledger.append`.
    """

    on: str
    metric: str
    sensitive_feature: Feature | Sequence[str] | None
    profile: str
    found: SearchResult | None
    proof: ProofToWrite | RetrainGap | None
    alternatives: tuple[Mitigation, ...]
    random: pd.DataFrame | None


def facts_of(result: UnlearnResult, asked: AppendRequest, keys: Keys) -> dict[str, Any]:
    """Return what an entry says of a result, but for who, when and why."""
    if not isinstance(result, UnlearnResult):
        raise InputTypeError(
            f"`result` must be what core.unlearn, edit or refit gave. Got {type(result).__name__}; give it whole, not its case."
        )
    before, after = result.before, result.case
    beside = _beside(asked, before.record_ids[before.retained & ~after.retained])
    feature = before.sensitive_feature(asked.sensitive_feature)
    judged = judge(before, after, asked.metric, feature, asked.on)
    audits = [audit(case, on=asked.on) for case in (before, after)]
    facts = {
        "content": CONTENT,
        "kind": _kind(result),
        "case": _case(before, after),
        "method": _method(result),
        "forgotten": _forgotten(before, after, judged.side, keys),
        "n_edited": result.n_edited,
        "measured": _measured(judged.table, audits, asked, feature),
        "guardrails": _guardrails(judged.side, judged.why),
        "policy": _policy(audits, asked.profile),
        **beside,
        "looks": [{"at": look.at, "what": look.what} for look in after.looks.entries],
        "environment": environment(),
    }
    return dict(value_for_json(facts))


def _beside(asked: AppendRequest, forgotten: Iterable[Any]) -> dict[str, Any]:
    """Return the search, proof and baselines beside a result.

    They are checked before anything is measured.
    """
    threshold("demographic_parity_ratio", asked.profile)
    return {
        "found": None if asked.found is None else _found(asked.found),
        "proof": _proof(asked.proof, forgotten),
        "alternatives": [_alternative(one) for one in asked.alternatives],
        "random": None if asked.random is None else _random(asked.random),
    }


def _kind(result: UnlearnResult) -> str:
    if result.n_edited:
        return "edit"
    if result.n_forgotten:
        return "removal"
    return "refit" if result.method == "refit" else "convergence"


def _case(before: Case, after: Case) -> dict[str, Any]:
    return {
        "before": before.key,
        "after": after.key,
        "data": before.data_digest,
        "model_before": digest_of_content(before.model),
        "model_after": digest_of_content(after.model),
        "model": type(final_estimator(scorer(after.model))).__name__,
        "roles": before.roles.to_dict(),
        "features": list(before.features),
        "threshold": repr(before.threshold),
        "n_train": len(before.retained),
        "n_before": before.n_retained,
        "n_after": after.n_retained,
        "n_rows": {on: len(before.rows(on)) for on in ("explore", "confirm", "test")},
        "split_seed": before.split_seed,
        "where": before.where,
        "as_opened": before.as_opened,
    }


def _method(result: UnlearnResult) -> dict[str, Any]:
    return {
        "name": result.method,
        "guarantee": result.guarantee.value,
        "claim": result.claim,
        "meaning": result.meaning,
        "bound": result.bound,
        "relative_bound": result.relative_bound,
        "tolerance": result.tolerance,
        "same_draws": result.same_draws,
        "seconds": result.seconds,
        "seconds_prepare": result.seconds_prepare,
        "notes": list(result.notes),
    }


def _forgotten(before: Case, after: Case, side: Guardrails | None, keys: Keys) -> dict[str, Any]:
    """Return how many records went, and keyed hashes of their ids.

    Also those of subjects of whom no record is left.
    """
    gone = before.retained & ~after.retained
    found: dict[str, Any] = {"n": int(gone.sum()), "hashes": keys.hidden(before.record_ids[gone])}
    subjects = before.subject_ids
    if subjects is not None:
        left = set(np.asarray(subjects)[after.retained].tolist())
        whole = [one for one in dict.fromkeys(np.asarray(subjects)[gone].tolist()) if one not in left]
        found["subject_hashes"] = keys.hidden(whole, "subject")
    if side is not None:
        found["by_group"] = rows_for_json(side.removed)
    return found


def _measured(
    table: pd.DataFrame, audits: Sequence[AuditReport], asked: AppendRequest, feature: Feature
) -> dict[str, Any]:
    groups = [
        {"when": when} | {name: value for name, value in row.items() if not name.endswith("_needed")}
        for when, report in zip(("before", "after"), audits, strict=True)
        for row in rows_for_json(report.by_group)
    ]
    return {
        "on": asked.on,
        "n": int(table.attrs["n"]),
        "level": LEVEL,
        "n_resamples": N_RESAMPLES,
        "metric": asked.metric,
        "sensitive_feature": feature_name(feature),
        "feature_parts": list(feature) if isinstance(feature, tuple) else [feature],
        "metrics": rows_for_json(table),
        "groups": groups,
    }


def _guardrails(side: Guardrails | None, why: str) -> dict[str, Any]:
    if side is None:
        return {"verdict": None, "why": why}
    return {
        "verdict": side.verdict,
        "sentence": side.sentence,
        "max_utility_drop": MAX_UTILITY_DROP,
        "n_tested": side.n_tested,
        "worse": rows_for_json(side.worse),
        "better": rows_for_json(side.better),
        "levels": rows_for_json(side.groups),
        "people": rows_for_json(side.counts),
        "notes": list(side.notes),
    }


def _policy(audits: Sequence[AuditReport], profile: str) -> dict[str, Any]:
    """Return the thresholds in force, and on which side of them every gap lies."""
    rows = []
    for when, report in zip(("before", "after"), audits, strict=True):
        for row in report.gaps.reset_index().to_dict("records"):
            limit = threshold(str(row["metric"]), profile)
            kept = {name: row[name] for name in ("metric", "sensitive_feature", "value", "low", "high")}
            rows.append({"when": when} | kept | {"threshold": limit, "verdict": verdict_on(pd.Series(row), limit)})
    return {"profile": profile, "difference": PROFILES[profile][0], "ratio": PROFILES[profile][1], "gaps": rows}


def _found(found: SearchResult) -> dict[str, Any]:
    """Return how the records were searched for.

    The rules, and the gain to expect on rows nobody searched.
    """
    if isinstance(found, Plan | HarmfulRecords):
        on, rows = (
            (found.goal.on, len(found.before.rows(found.goal.on)))
            if isinstance(found, Plan)
            else (found.on, found.n_rows)
        )
        said = found.reason if isinstance(found, Plan) else found.lines()[0]
        return {
            "how": "plan" if isinstance(found, Plan) else "most harmful records",
            "sentence": said,
            "on": on,
            "n_rows": rows,
            "expected": _expected(found.expected),
            "path": value_for_json(found.to_frame().to_dict("records")),
            "rules": [],
        }
    several = isinstance(found, Sequence) and all(isinstance(one, Subset) for one in found)
    if not several and not isinstance(found, Subset):
        raise InputTypeError(
            f"`found` must be a Plan, HarmfulRecords, Explanation or rules. Got {type(found).__name__}; give what the search gave."
        )
    subsets = [found] if isinstance(found, Subset) else list(found)
    facts: dict[str, Any] = {
        "how": "rules",
        "rules": [_rule(one) for one in subsets],
        "expected": _expected(subsets[0].expected) if len(subsets) == 1 else None,
    }
    if isinstance(found, Explanation):
        facts |= {"on": found.on, "n_rows": found.n_rows, "n_tried": found.n_tried, "notes": list(found.notes)}
    return facts


def _rule(one: Subset) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "n_records": one.n_records,
        "support": one.support,
        "metric": one.metric,
        "before": one.before,
        "after": one.after,
        "predicted": one.predicted,
        "measured": one.verified,
        "low": one.low,
        "high": one.high,
        "remarks": list(one.remarks),
        "sentence": one.sentence,
        "claim": one.claim,
        "expected": _expected(one.expected),
    }


def _expected(gain: Any) -> dict[str, Any] | None:
    return None if gain is None else asdict(gain) | {"helps": gain.helps, "sentence": gain.sentence}


def _proof(proof: object, forgotten: Iterable[Any]) -> dict[str, Any] | None:
    if proof is None:
        return None
    if isinstance(proof, RetrainGap):
        facts: Any = {"retrain_gap": {"sentence": proof.sentence} | proof.to_frame().iloc[0].to_dict()}
    elif isinstance(proof, ProofToWrite):
        facts = value_for_json(proof.to_dict())
    else:
        raise InputTypeError(
            f"`proof` must have to_dict(), as what core.verify gives. Got {type(proof).__name__}; leave it out, or give that."
        )
    ids = {one for one in map(str, forgotten) if not one.replace(".", "").isdecimal()}
    if not ids.isdisjoint(_texts(facts)):
        raise InputError("A proof must not name the records that were forgotten. This one does; give counts instead.")
    return dict(facts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _alternative(one: Mitigation) -> dict[str, Any]:
    if not isinstance(one, Mitigation):
        raise InputTypeError(
            f"`alternatives` must be what core.mitigate gave. Got {type(one).__name__}; give a list of these."
        )
    names = ("method", "constraint", "metric", "sensitive_feature", "utility", "on", "seconds", "reason", "complete")
    points = rows_for_json(one.points[one.points["chosen"].astype(bool)]) if one.serves else []
    return {name: getattr(one, name) for name in names} | {"points": points, "n_points": len(one.points)}


def _random(draws: object) -> list[dict[str, Any]]:
    if not isinstance(draws, pd.DataFrame) or not {"n_removed", "draw", "metric", "utility"} <= set(draws.columns):
        raise InputTypeError("`random` must be the table that core.random_removals gave; give it as it is.")
    return rows_for_json(band(draws))


def environment() -> dict[str, str]:
    """Return the versions that the figures were made with."""
    found = {
        "redress": core.__version__,
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
