"""Mounting the face on a page: what is sent to the browser, once for every stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

import core
from dashboard.components.face.bars import bars, slider
from dashboard.components.face.tiles import Stop, tiles

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_face = st.components.v2.component(
    "redress_face",
    css=(_ASSETS / "face.css").read_text("utf-8"),
    js=(_ASSETS / "face.js").read_text("utf-8"),
)
Called = Callable[[], None]


def show_tiles(
    stops: Sequence[Stop], roles: core.Roles, *, key: str, channel: str, at: int, rev: str, act: Called
) -> None:
    """Show the tiles and the verdict.

    Parameters
    ----------
    stops : sequence of Stop
    roles : Roles
    key : str
        Of the component in the session state.
    channel : str
        Instances of one channel move together.
    at : int
        The stop shown.
    rev : str
        The browser takes `at` over when this changes; else it stays where the person moved it.
    act : callable
        Called with the button; `chosen` tells what it says.
    """
    said = [
        {
            "tone": stop.said.tone,
            "title": stop.said.title,
            "text": stop.said.text,
            "label": stop.said.step.label,
            "action": stop.said.step.action,
            "size": stop.said.step.size,
        }
        for stop in stops
    ]
    data = {"part": "tiles", "tiles": tiles(stops, roles), "said": said}
    _mount(data, "tiles", stops, key, channel, at, rev, on_act_change=act)


def show_bars(
    stops: Sequence[Stop],
    roles: core.Roles,
    *,
    key: str,
    channel: str,
    at: int = 0,
    rev: str = "",
    n_retained: int = 0,
    best: int = 0,
    chosen: str = "",
    stopped: Called | None = None,
) -> None:
    """Show the bars of the groups and, with several stops, the slider.

    Parameters
    ----------
    stops, roles, key, channel, at, rev
        As for `show_tiles`.
    n_retained : int
        Training records there are.
    best : int
        The stop marked on the curve; 0 for none.
    chosen : str
        What stands for the first stop, where that is a selection of its own.
    stopped : callable, optional
        Called when the slider is released.
    """
    data: dict[str, Any] = {"part": "bars", **bars(stops, roles)}
    shape = "|".join(level.group for level in stops[0].moment.levels)
    if len(stops) > 1:
        data["slider"] = slider(stops, n_retained, best)
        data["words"] = {"slider": "Remove the most harmful records", "note": "Drag to see what removing them does"}
        data["chosen"] = chosen
    _mount(data, shape, stops, key, channel, at, rev, **({"on_stop_change": stopped} if stopped else {}))


def _mount(
    data: dict[str, Any], shape: str, stops: Sequence[Stop], key: str, channel: str, at: int, rev: str, **called: Any
) -> None:
    _face(
        key=key,
        data={
            **data,
            "shape": shape,
            "channel": channel,
            "records": [0, *(stop.size for stop in stops[1:])],
            "at": at,
            "rev": rev,
        },
        **called,
    )


def said_by_component(key: str, name: str) -> Any:
    """Return what a component of this key said last under a name, inside its callback."""
    found = st.session_state.get(key)
    return None if found is None else found.get(name)
