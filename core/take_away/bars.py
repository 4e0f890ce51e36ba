"""Bars of a rate before and now as an SVG drawing, for a page that may run nothing."""

from __future__ import annotations

import html

import pandas as pd

from core.words import markup, number, percent

LEFT, WIDE, HIGH, GAP = 170, 560, 16, 14


def svg_bars(rates: pd.DataFrame, title: str) -> str:
    """Return a drawing of two bars for every group, on a scale from 0 that is the same for all.

    Parameters
    ----------
    rates : DataFrame
        Indexed by group: ``before`` and ``now``.
    title : str
        What is drawn, for those who cannot see it.

    Examples
    --------
    >>> drawn = svg_bars(pd.DataFrame({"before": [0.5], "now": [0.75]}, index=["<f>"]), "Share served")
    >>> 'width="280.0"' in drawn, 'width="420.0"' in drawn, "&lt;f&gt;" in drawn, "<f>" in drawn
    (True, True, True, False)
    """
    share = bool((rates.fillna(0.0).to_numpy() <= 1.0).all())
    top, text = (1.0, percent) if share else (float(rates.max().max()), number)
    step = 2 * HIGH + GAP
    parts = []
    for place, (group, row) in enumerate(rates.iterrows()):
        y = 24 + place * step
        parts.append(f'<text x="{LEFT - 10}" y="{y + HIGH + 4}" text-anchor="end">{markup(str(group)[:24])}</text>')
        for offset, moment in ((0, "before"), (HIGH, "now")):
            value = row[moment]
            wide = 0.0 if pd.isna(value) else max(0.0, WIDE * float(value) / top)
            parts.append(f'<rect class="{moment}" x="{LEFT}" y="{y + offset}" width="{wide:.1f}" height="{HIGH - 2}"/>')
            parts.append(f'<text x="{LEFT + wide + 6:.1f}" y="{y + offset + 12}">{markup(text(value))} {moment}</text>')
    height = 24 + len(rates) * step
    lines = "".join(
        f'<line class="grid" x1="{LEFT + WIDE * i / 4}" x2="{LEFT + WIDE * i / 4}" y1="18" y2="{height - GAP}"/>'
        f'<text x="{LEFT + WIDE * i / 4}" y="12" text-anchor="middle">{markup(text(top * i / 4))}</text>'
        for i in range(5)
    )
    name = html.escape(title)
    return f'<svg viewBox="0 0 {LEFT + WIDE + 110} {height}" role="img" aria-label="{name} by group, before and now">{lines}{"".join(parts)}</svg>'
