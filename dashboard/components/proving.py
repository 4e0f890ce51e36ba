"""The proof of a version: all removals from the case as opened, checked together."""

from __future__ import annotations

from dataclasses import replace

import core
from core.unlearning.base import UnlearnResult
from core.verification.verify import Proof
from dashboard import cached
from dashboard.components import computing
from dashboard.work import Work

PROOF = "proof"
LABEL = "Prove that they are forgotten"


def whole(work: Work) -> UnlearnResult | None:
    """Return all removals up to the version in force as one result.

    None where nothing was removed.
    """
    last = cached.version(work).result
    opened, now = cached.case(work, 0), cached.case(work)
    gone = int((opened.retained & ~now.retained).sum())
    if last is None or not gone:
        return None
    results = [cached.version(work, at + 1).result for at in range(work.at)]
    spent = sum(one.seconds for one in results if one is not None)
    return replace(last, before=opened, case=now, n_forgotten=gone, seconds=spent)


def proof(work: Work, result: UnlearnResult) -> Proof | None:
    """Return the proof of the version in force; None while it is on its way.

    Raises
    ------
    RedressError
        If the model cannot be trained again.
    """
    found: Proof | None = computing.result(
        work,
        PROOF,
        "Checking whether the records are forgotten",
        lambda report: core.verify(result, metric=work.metric, sensitive_feature=work.feature, progress=report),
        work.metric,
        work.feature,
    )
    return found


def kept(work: Work) -> Proof | None:
    """Return the proof of the version in force, if it was made."""
    found: Proof | None = cached.results().peek(cached.name_of(work, PROOF, work.metric, work.feature))
    return found
