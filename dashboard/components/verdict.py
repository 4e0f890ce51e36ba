"""The verdict of the guardrails as a banner: whether it is fairer, and who pays."""

from __future__ import annotations

import streamlit as st

import core
from core.metrics.guardrails import Judged
from core.metrics.guardrails.result import VERDICT_WORDS
from core.words import plain

LOOKS = {
    "fairer": ("success", ":material/check_circle:"),
    "fairer_by_levelling_down": ("warning", ":material/south:"),
    "mixed": ("warning", ":material/balance:"),
    "less_fair": ("error", ":material/trending_down:"),
    "no_clear_change": ("info", ":material/drag_handle:"),
}


def banner(judged: Judged, *, predicted: bool) -> None:
    """Show the verdict and its sentence; nothing where there is none."""
    if judged.side is None:
        return
    kind, icon = LOOKS[judged.side.verdict]
    how = "Predicted, on the rows searched. " if predicted else ""
    getattr(st, kind)(f"{how}{verdict_sentence(judged.side)}", icon=icon)


def verdict_sentence(side: core.Guardrails) -> str:
    """Return the sentence as Markdown, the verdict in bold."""
    words = VERDICT_WORDS[side.verdict].capitalize()
    rest = side.sentence.removeprefix(words)
    return f"**{words}**{plain(rest)}"
