"""The bar on a rule's card: the gap left without its records, and the accuracy then."""

from __future__ import annotations

from core.metrics import METRICS
from core.words import markup
from dashboard.components.face.tiles import Stop, gap_in_points, signed_share, unit


def card_bar(stop: Stop) -> str:
    """Return the bar as HTML."""
    before, now = stop.before, stop.moment
    left = min(max(now.short / before.short, 0.0), 1.0) if before.short > 0 else 0.0
    if METRICS[now.metric].kind == "difference":
        words = f"gap left: {gap_in_points(now.gap, now.metric)} of {gap_in_points(before.gap, now.metric)} {unit(now.metric)}"
    else:
        words = f"ratio {gap_in_points(before.gap, now.metric)} to {gap_in_points(now.gap, now.metric)}"
    change = now.accuracy - before.accuracy
    price = "good" if change > 0 else "bad" if change < 0 else "flat"
    return (
        f'<div class="card-bar" role="img" aria-label="{markup(words)}"><span class="card-left card-{stop.said.tone}" style="width: {100 * left:.1f}%">'
        f'</span></div><div class="card-words"><span>{markup(words)}</span><span class="card-{price}">accuracy {markup(signed_share(change))}</span></div>'
    )
