"""A policy profile, read from TOML.

A profile has a name, a date, where it comes from, and rules. A rule of kind "impact_ratio" lays out each group's rate and its ratio to the highest, one
of kind "gap" holds a gap against a limit. Profiles are conventions to look by; none says what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from core.errors import InputError, InputTypeError, nearest, said
from core.metrics.catalog import metric_of
from core.metrics.rates import RATES

SHIPPED = ("four_fifths", "equalized_odds", "impact_ratios")
"""Profiles that come with the package, by name."""
LONGEST = 100_000
"""Characters of a profile."""
_NUMBERS = ("at_least", "at_most", "significance", "small_share")
_OF_KIND = {
    "impact_ratio": {"at_least", "test", "significance", "small_share"},
    "gap": {"at_most", "at_least"},
}


@dataclass(frozen=True)
class PolicyRule:
    """One rule of a profile.

    Parameters
    ----------
    title : str
    kind : {"impact_ratio", "gap"}
    metric : str
        The rate that ratios are of, or the gap.
    at_least, at_most : float, optional
        What a ratio must reach, or a difference may not exceed; None holds it against nothing.
    test : str
        "fisher", or empty for none.
    significance : float
        Largest q-value that counts as beyond chance.
    small_share : float
        Groups with a smaller share of the rows are marked, and no ratio is taken of them or to them.
    intersections : bool
        Whether groups of all sensitive features together are laid out, too.
    sensitive_features : tuple of str
        Only these; empty for every one of the case.
    """

    title: str
    kind: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    test: str = ""
    significance: float = 0.05
    small_share: float = 0.0
    intersections: bool = False
    sensitive_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _OF_KIND:
            raise InputError(
                f"The kind of a rule must be one of {', '.join(_OF_KIND)}. Got {self.kind!r}.{nearest(self.kind, _OF_KIND)}"
            )
        metric = metric_of(self.metric)
        if self.kind == "impact_ratio" and (self.metric not in RATES or not RATES[self.metric].proportion):
            raise InputError(f"Impact ratios must be of a share of rows. Got {self.metric!r}; selection_rate is usual.")
        if self.kind == "gap" and metric.kind not in ("difference", "ratio"):
            raise InputError(
                f"A gap must be a difference or a ratio between groups. Got {self.metric!r}; equalized_odds_difference is one."
            )
        if self.kind == "gap" and (self.limit is None or (self.at_most is None) != (metric.better == "higher")):
            wanted = "at_least" if metric.better == "higher" else "at_most"
            raise InputError(f"A rule on {self.metric!r} must have {wanted}, and no other limit. Got {self.title!r}.")
        if self.test not in ("", "fisher"):
            raise InputError(f'The test of a rule must be "fisher", or left out. Got {self.test!r}.')

    @property
    def limit(self) -> float | None:
        """The number that the rule holds a ratio or gap against, if any."""
        return self.at_least if self.at_most is None else self.at_most

    @property
    def needs(self) -> tuple[str, ...]:
        """The metrics that an audit has to measure for the rule."""
        return (self.metric,)


@dataclass(frozen=True)
class PolicyProfile:
    """A dated set of rules.

    Parameters
    ----------
    name : str
    date : date
        Of this version of the profile.
    rules : tuple of PolicyRule
    source, about : str
        Where it comes from, and what it is, in a sentence.
    text : str
        The TOML it was read from.
    """

    name: str
    date: date
    rules: tuple[PolicyRule, ...]
    source: str = ""
    about: str = ""
    text: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The metrics that an audit has to measure for all rules."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.needs))


def policy_profile(source: str | Path) -> PolicyProfile:
    """Read a policy profile: one that comes with the package, by name, or a TOML file.

    Parameters
    ----------
    source : str or Path
        "four_fifths", "equalized_odds", "impact_ratios", or the path of a file that ends in ``.toml``. Write `policy_profile(name).text` to a
        file to change it.

    Raises
    ------
    InputError
        If there is no such profile, or it cannot be read; the sentence names what is wrong.

    Examples
    --------
    >>> profile = policy_profile("four_fifths")
    >>> profile.name, profile.date.isoformat(), profile.rules[0].at_least
    ('Four-fifths ratio', '2026-12-01', 0.8)
    """
    if not isinstance(source, str | Path):
        raise InputTypeError(
            f"A profile must be given by its name or as a path. Got {type(source).__name__}; the names are {', '.join(SHIPPED)}."
        )
    if str(source) in SHIPPED:
        return profile_of_text(resources.files(__package__).joinpath(f"{source}.toml").read_text("utf-8"))
    if Path(source).suffix != ".toml":
        raise InputError(
            f"A profile must be one of {', '.join(SHIPPED)}, or a file that ends in .toml. Got {str(source)!r}.{nearest(source, SHIPPED)}"
        )
    try:
        text = Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"A profile must be a text file that can be read. {str(source)!r} is not: {said(error)}."
        ) from error
    return profile_of_text(text)


def profile_of_text(text: str) -> PolicyProfile:
    """Read a policy profile from TOML; as `policy_profile`."""
    if len(text) > LONGEST:
        raise InputError(f"A profile must be short. Got {len(text):,} characters; at most {LONGEST:,} are read.")
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"A profile must be TOML. It is not: {said(error)}.") from error
    _known(found, ("name", "date", "source", "about", "rule"), "a profile")
    when = found.get("date")
    if type(when) is not date:
        raise InputError(f"A profile must have a date. Got {when!r}; write it without quotes, as date = 2026-12-01.")
    rules = found.get("rule")
    if not isinstance(rules, list) or not rules or not all(isinstance(one, dict) for one in rules):
        raise InputError("A profile must have rules. Got none; begin each with a line [[rule]].")
    texts = {name: _text(found, name, "a profile", needed=name == "name") for name in ("name", "source", "about")}
    return PolicyProfile(texts["name"], when, tuple(map(_rule, rules)), texts["source"], texts["about"], text)


def _rule(given: Mapping[str, Any]) -> PolicyRule:
    what = f"the rule {given.get('title', '')!r}"
    title, kind, metric = (_text(given, name, what, needed=True) for name in ("title", "kind", "metric"))
    of_kind = _OF_KIND.get(kind, set[str]())
    _known(given, ("title", "kind", "metric", "intersections", "sensitive_features", *sorted(of_kind)), what)
    values: dict[str, Any] = {name: given[name] for name in _NUMBERS if name in given}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            raise InputError(f"`{name}` of {what} must be a number from 0 to 1. Got {value!r}.")
    intersections, features = given.get("intersections", False), given.get("sensitive_features", [])
    if not isinstance(intersections, bool):
        raise InputError(f"`intersections` of {what} must be true or false. Got {intersections!r}.")
    if not isinstance(features, list) or not all(isinstance(one, str) for one in features):
        raise InputError(f"`sensitive_features` of {what} must be a list of columns. Got {features!r}.")
    test = _text(given, "test", what)
    return PolicyRule(
        title, kind, metric, test=test, intersections=intersections, sensitive_features=tuple(features), **values
    )


def _text(given: Mapping[str, Any], name: str, what: str, *, needed: bool = False) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or (needed and not value.strip()):
        raise InputError(f"`{name}` of {what} must be a text. Got {value!r}; write it in quotes.")
    return value


def _known(given: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in names:
            raise InputError(
                f"{what[:1].upper()}{what[1:]} must have {', '.join(names)} alone. Got {name!r}.{nearest(name, names)}"
            )
