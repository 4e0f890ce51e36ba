"""A case held against a policy profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.case.case import Case, check_case
from core.former import formerly
from core.metrics.audit import LEVEL, N_RESAMPLES, SensitiveFeatures, audit
from core.metrics.policies.held import PolicyReport, held_against_profile
from core.metrics.policies.profile import PolicyProfile, policy_profile


@formerly()
def apply_policy(
    case: Case,
    profile: str | Path | PolicyProfile = "four_fifths",
    *,
    sensitive_feature: SensitiveFeatures = None,
    on: str | None = None,
    where: str | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> PolicyReport:
    """Hold a case against a policy profile, and lay its tables out as the profile's rules say.

    Costs one audit of the metrics that the rules name.

    Parameters
    ----------
    case : Case
    profile : str, Path or PolicyProfile
        As `policy_profile` takes or gives it: "four_fifths", "equalized_odds", "impact_ratios", or a TOML file.
    sensitive_feature, on, where, n_resamples, level, seed
        As for `audit`.

    Returns
    -------
    PolicyReport
        A table for every rule and sensitive feature. A profile is a convention to look by: no mark says what is allowed.

    Raises
    ------
    InputError
        If the profile cannot be read, or names what the case does not have.

    Examples
    --------
    >>> import core
    >>> apply_policy(core.load_case("credit"), "four_fifths", sensitive_feature="sex")
    Four-fifths ratio, 2026-12-01, on 6,000 test rows
      Good outcomes against the highest rate, sex: 0 of 2 groups below 0.8; lowest ratio 0.847 (female).
    """
    check_case(case)
    chosen = profile if isinstance(profile, PolicyProfile) else policy_profile(profile)
    report = audit(
        case,
        chosen.needs,
        sensitive_feature=sensitive_feature,
        on=on,
        where=where,
        n_resamples=n_resamples,
        level=level,
        seed=seed,
    )
    held = held_against_profile(report, chosen)
    return replace(held, notes=(*held.notes, *report.notes))
