"""One page on before and after: an HTML file that needs no network and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.case.case import Case, check_case
from core.metrics.audit import audit
from core.metrics.catalog import METRICS, metric_of
from core.metrics.compare import ALL_RECORDS
from core.metrics.guardrails.judge import Judged, judge
from core.metrics.guardrails.result import VERDICT_WORDS
from core.metrics.samples import feature_name
from core.take_away.bars import svg_bars
from core.typing import Feature
from core.words import count, interval, markup, number, percent, signed

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
body { color: light-dark(#1d2730, #e8edf1); background: light-dark(#fff, #14191d); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { padding: .8rem 1rem; border-left: 5px solid light-dark(#00629b, #7cc4ee); background: light-dark(#f3f6f8, #1f272d); }
table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; border-bottom: 1px solid light-dark(#d5dde3, #36424b); text-align: left; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; } small, .rows { color: light-dark(#4c5a66, #aab6bf); }
svg { width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
.before { fill: light-dark(#aab4bc, #6b7780); } .now { fill: light-dark(#00629b, #7cc4ee); } .grid { stroke: light-dark(#d5dde3, #36424b); }
"""


def before_after_page(
    opened: Case,
    now: Case,
    metric: str,
    feature: Feature,
    *,
    title: str,
    steps: Sequence[str] = (),
    guarantee: Sequence[str] = (),
) -> str:
    """Return one page on a change.

    Verdict, figures with counts and intervals, what else changed, method and guarantee.

    Parameters
    ----------
    opened, now : Case
        Before and after; they share their test table.
    metric : str
        The gap that was to close.
    feature : str or tuple of str
        Between whose groups.
    title : str
        What the case is called.
    steps : sequence of str
        What was done, a phrase each.
    guarantee : sequence of str
        How it was done and what holds of the model, a sentence each.

    Returns
    -------
    str
        HTML with its own style, without scripts and without links to anywhere.
    """
    check_case(opened)
    check_case(now)
    chosen = metric_of(metric)
    judged = judge(opened, now, metric, feature)
    n = f"{len(opened.rows('explore')):,} test rows searched"
    heading = chosen.heading(pos_is_favorable=opened.roles.pos_label == opened.roles.favorable_label)
    parts = [
        f"<h1>{markup(title)}: before and after</h1>",
        f'<p class="rows">{markup(heading)}, by {markup(feature_name(feature))}. All figures hold on the {n}; records were chosen by looking at '
        "these rows, so other rows may show less.</p>",
        _verdict(judged),
        "<h2>In numbers</h2>",
        _numbers(judged, (metric, feature_name(feature)), heading),
        *_groups(opened, now, chosen.rate, feature),
        "<h2>What was done</h2>",
        _done(opened, now, steps, guarantee),
        "<h2>What else changed</h2>",
        _others(judged.by(feature).drop([(metric, feature_name(feature))])),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{markup(title)}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _verdict(judged: Judged) -> str:
    if judged.side is None:
        return f'<p class="verdict">No verdict: {markup(judged.why)}</p>'
    words = VERDICT_WORDS[judged.side.verdict].capitalize()
    rest = judged.side.sentence.removeprefix(words)
    return f'<p class="verdict"><b>{markup(words)}</b>{markup(rest)}</p>'


def _numbers(judged: Judged, gap: tuple[str, str], heading: str) -> str:
    rows = [_row(heading, judged.table.loc[[gap]].iloc[0])]
    accuracy = judged.table[judged.table.index.get_level_values(0) == "accuracy"]
    rows += [_row("Accuracy", one) for _, one in accuracy.iterrows()]
    return _table(("", "before", "now", "change", "95% interval of the change"), rows)


def _row(name: str, row: pd.Series[Any]) -> list[str]:
    return [
        name,
        number(row["before"]),
        number(row["after"]),
        signed(row["change"]),
        interval(row["low"], row["high"]) or number(None),
    ]


def _groups(opened: Case, now: Case, rate: str, feature: Feature) -> list[str]:
    """Return the bars of a rate by group, and the same in a table with counts and intervals."""
    before, after = (
        audit(case, [rate], sensitive_feature=[feature], on="explore").by_group.loc[feature_name(feature)]
        for case in (opened, now)
    )
    label = METRICS[rate].heading(pos_is_favorable=opened.roles.pos_label == opened.roles.favorable_label)
    rows = [
        [
            str(group),
            *(
                words
                for table in (before, after)
                for words in (_share(table.loc[group], rate), _reach(table.loc[group], rate))
            ),
        ]
        for group in before.index
    ]
    drawn = pd.DataFrame({"before": before[rate], "now": after[rate]})
    return [
        f"<h2>{markup(label)} by group</h2>",
        svg_bars(drawn, label),
        _table(("group", "before", "95% interval", "now", "95% interval"), rows),
        f'<p class="rows">{markup(METRICS[rate].formula)}</p>',
    ]


def _share(row: pd.Series[Any], rate: str) -> str:
    value = row[rate]
    if f"{rate}_of" not in row or pd.isna(value):
        return f"{number(value)} ({count(row['n'], 'row')})"
    return f"{percent(value)} ({count(row[f'{rate}_hits'])} of {count(row[f'{rate}_of'])})"


def _reach(row: pd.Series[Any], rate: str) -> str:
    return interval(row[f"{rate}_low"], row[f"{rate}_high"]) or number(None)


def _done(opened: Case, now: Case, steps: Sequence[str], guarantee: Sequence[str]) -> str:
    gone, all_rows = len(now.forgotten_ids) - len(opened.forgotten_ids), len(opened.train)
    lines = [
        f"{count(gone, 'record')} of {all_rows:,} training records removed ({percent(gone / all_rows, 2)}).",
        *steps,
        *guarantee,
    ]
    return f"<ul>{''.join(f'<li>{markup(line)}</li>' for line in lines)}</ul>"


def _others(table: pd.DataFrame) -> str:
    rows = []
    for place, (name, of) in enumerate(table.index):
        row = table.iloc[place]
        whose = "" if of == ALL_RECORDS else f", {of}"
        chance = ", may be chance" if row["direction"] and row["low"] <= 0 <= row["high"] else ""
        rows.append([*_row(f"{METRICS[str(name)].label}{whose}", row), f"{row['direction']}{chance}"])
    return _table(("measure", "before", "now", "change", "95% interval", "is"), rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{markup(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{markup(row[0])}</th>'
        + "".join(f'<td class="number">{markup(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
