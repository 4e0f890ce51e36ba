"""The bars of the groups, before and at every stop, and the slider below them.

Their scale is fixed, from 0 to 100%.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import core
from core.words import count, percent
from dashboard import meaning
from dashboard.components.face.moment import Moment
from dashboard.components.face.tiles import Stop, gap_in_points, unit


def bars(stops: Sequence[Stop], roles: core.Roles) -> dict[str, Any]:
    """Return what the bars show.

    Parameters
    ----------
    stops : sequence of Stop
    roles : Roles

    Returns
    -------
    dict
        ``title``; ``groups``, each with ``name``, ``was`` and, for every stop, ``rate``, ``low``, ``high``, ``counts`` and ``shown``;
        ``bracket``: the gap in words at every stop; ``spoken``: the whole at every stop, for screen readers.
    """
    first = stops[0].moment
    return {
        "title": meaning.of_levels(first.metric, roles),
        "groups": [_group(stops, place) for place in range(len(first.levels))],
        "bracket": [f"gap {_shift(stop.before, stop.moment)}" for stop in stops],
        "spoken": [_spoken(stop) for stop in stops],
        "tone": [stop.said.tone for stop in stops],
        "modes": [stop.mode for stop in stops],
    }


def slider(stops: Sequence[Stop], n_retained: int, best: int) -> dict[str, Any]:
    """Return the content of the slider: the curve of the gap, the best stop, sizes in words."""
    first = stops[0].moment
    return {
        "gap": [stop.moment.short if stop.moment.defined else first.short for stop in stops],
        "best": best,
        "sizes": [count(stop.size, "record") for stop in stops],
        "notes": [
            f"{percent(stop.size / n_retained, 2)} of {count(n_retained, 'training record')}" if stop.size else ""
            for stop in stops
        ],
    }


def _group(stops: Sequence[Stop], place: int) -> dict[str, Any]:
    levels = [stop.moment.levels[place] for stop in stops]
    return {
        "name": levels[0].group,
        "was": [_share(stop.before.levels[place].rate) for stop in stops],
        "rate": [_share(level.rate) for level in levels],
        "low": [_share(level.low) for level in levels],
        "high": [_share(level.high) for level in levels],
        "counts": [level.counted for level in levels],
        "shown": [level.shown for level in levels],
    }


def _share(value: float) -> float | None:
    return None if value != value else round(min(max(value, 0.0), 1.0), 4)


def _shift(before: Moment, now: Moment) -> str:
    was, is_now = gap_in_points(before.gap, before.metric), gap_in_points(now.gap, now.metric)
    text = is_now if was == is_now else f"{was} \N{RIGHTWARDS ARROW} {is_now}"
    return f"{text} {unit(before.metric)}".rstrip()


def _spoken(stop: Stop) -> str:
    groups = ", ".join(f"{level.group} {level.shown}" for level in stop.moment.levels)
    return f"{count(stop.size, 'record')}: gap {_shift(stop.before, stop.moment)}; {groups}; {stop.said.title}"
