"""The tree of versions: a click goes to one, a pin holds it for comparing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_ASSETS = Path(__file__).resolve().parents[1] / "assets"
_tree = st.components.v2.component(
    "redress_versions",
    css=(_ASSETS / "tree.css").read_text("utf-8"),
    js=(_ASSETS / "tree.js").read_text("utf-8"),
)


def show(
    versions: Sequence[dict[str, Any]],
    now: int,
    pinned: Sequence[int],
    *,
    key: str,
    go: Callable[[int], None],
    pin: Callable[[int], None],
) -> None:
    """Show the tree.

    Parameters
    ----------
    versions : sequence of dict
        ``number``, ``parent``, ``x``, ``y``, ``title``, ``note``, ``spoken`` (all of it in words) and ``tone`` ("flat", "bad" or
        "unknown") of each.
    now : int
        The number of the version in force.
    pinned : sequence of int
        Versions held for comparing.
    key : str
        Of the component; "__" may not occur in it, as it does in some ids of cases.
    go, pin : callable
        Called with the number of a version.
    """

    def told(name: str, then: Callable[[int], None]) -> None:
        number = (st.session_state.get(key) or {}).get(name)
        if isinstance(number, int | float) and any(one["number"] == int(number) for one in versions):
            then(int(number))

    _tree(
        key=key,
        data={
            "versions": list(versions),
            "now": now,
            "pinned": list(pinned),
            "label": "Versions of the case; arrow keys move between them",
            "pin": "Pin to compare: version",
        },
        on_go_change=lambda: told("go", go),
        on_pin_change=lambda: told("pin", pin),
    )
