"""The verdict beside the tiles: tone, headline, numbers of people, and the next step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

import core
from core.metrics.samples import feature_name
from core.typing import Feature
from core.words import count
from dashboard import meaning
from dashboard.components.face.moment import Level, Moment

Tone = Literal["good", "bad", "mixed", "flat"]
TONES: dict[str, Tone] = {
    "fairer": "good",
    "fairer_by_levelling_down": "bad",
    "mixed": "mixed",
    "less_fair": "bad",
    "no_clear_change": "flat",
}
TITLES = {
    "fairer": "Fairer",
    "fairer_by_levelling_down": "Levelling down: fairer because others lose",
    "mixed": "Mixed: some gain, some pay",
    "less_fair": "Less fair",
    "no_clear_change": "No clear change",
}
MOST_GROUPS = 3
ALSO = "Also worse"


@dataclass(frozen=True)
class NextStep:
    """The action of the button beside the verdict.

    Parameters
    ----------
    action : str
        A name the page knows, or empty for no button.
    label : str
        What it says.
    size : int
        Records it is about, where it is about some.
    """

    action: str = ""
    label: str = ""
    size: int = 0


@dataclass(frozen=True)
class Said:
    """A verdict in words.

    Parameters
    ----------
    tone : {"good", "bad", "mixed", "flat"}
    title, text : str
    step : NextStep
    """

    tone: Tone
    title: str
    text: str
    step: NextStep = NextStep()

    def then(self, step: NextStep) -> Said:
        """Return the same words with another button."""
        return replace(self, step=step)


def said_of(side: core.Guardrails | None, why: str, feature: Feature, roles: core.Roles) -> Said:
    """Return what the guardrails found, in few words.

    Parameters
    ----------
    side : Guardrails or None
    why : str
        Why there is no verdict, where there is none.
    feature : str or tuple of str
        Whose groups are counted.
    roles : Roles
    """
    if side is None:
        return Said("flat", "No verdict", why)
    title = TITLES[side.verdict]
    if side.verdict == "fairer" and side.worse.empty:
        title = "Fairer, and no group pays beyond chance"
    also = next((part for part in side.said if part.startswith(ALSO)), "")
    moves = side.said[1] if side.verdict in ("fairer_by_levelling_down", "less_fair") and len(side.said) > 1 else ""
    return Said(TONES[side.verdict], title, " ".join(filter(None, (moves, _people(side, feature, roles), also))))


def _people(side: core.Guardrails, feature: Feature, roles: core.Roles) -> str:
    """Return how many people are decided otherwise, by group."""
    names = side.counts.index.get_level_values("sensitive_feature")
    counts = side.counts[names == feature_name(feature)]
    words = (
        ("newly flagged", "no longer flagged") if meaning.scored_is_bad(roles) else ("newly refused", "newly served")
    )
    served, refused = (_by_group(counts[column]) for column in ("newly_served", "newly_refused"))
    if not served and not refused:
        return "Nobody is decided otherwise."
    parts = [f"{text} {word}" for text, word in ((served, words[1]), (refused, words[0])) if text]
    return f"{', '.join(parts)}, of {count(side.n, 'row')} searched."


def _by_group(moved: pd.Series[float]) -> str:
    """Return how many moved one way, and of which groups; nothing where nobody did."""
    by_group = moved.groupby(level="group", sort=False).sum().round().sort_values(ascending=False, kind="stable")
    by_group = by_group[by_group > 0]
    if by_group.empty:
        return ""
    named = [f"{group} {count(n)}" for group, n in by_group.iloc[:MOST_GROUPS].items()]
    if len(by_group) > MOST_GROUPS:
        named.append(f"others {count(by_group.iloc[MOST_GROUPS:].sum())}")
    return f"{count(by_group.sum(), 'person').replace('persons', 'people')} ({', '.join(named)})"


def finding(moment: Moment, roles: core.Roles, asked: Moment | None = None) -> Said:
    """Return what a model does to the groups, before anything was changed.

    Whether that may be chance is asked of the moment `asked`, on all test rows for a model as opened; None: of the same.
    """
    asked = moment if asked is None else asked
    worst, best = moment.worst_level, moment.level(moment.best)
    label = meaning.label(moment.metric, roles)
    if not moment.defined or worst is None or best is None:
        return Said("flat", "No gap to show", f"{label}: the rate is undefined in too many groups.")
    title = f"{label} that may be chance" if asked.may_be_chance else f"{label} beyond chance"
    rows = f" Chance is judged on all {count(asked.n, 'test row')}." if asked.n != moment.n else ""
    return Said("flat", title, f"{_told(worst)} against {_told(best)}.{rows}")


def _told(level: Level) -> str:
    return f"{level.group} {level.shown} ({level.counted})"
