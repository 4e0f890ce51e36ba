"""The model card of an unlearned model, filled from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.errors import InputError
from core.ledger.entries import Entry
from core.ledger.report import PLAIN_GUARANTEES, REPORT_LIMITS, metric_in_words
from core.metrics.guardrails.sentence import ROWS_IN_WORDS
from core.words import count, interval, number, percent, plain, printable, signed

if TYPE_CHECKING:
    from core.case.case import Case
    from core.ledger.ledger import Ledger


def model_card(ledger: Ledger, case: Case) -> str:
    """Write the model card of a case's model from what the ledger says of it.

    Parameters
    ----------
    ledger : Ledger
    case : Case
        As a removal gave it, or loaded again.

    Returns
    -------
    str
        Markdown, as `skops.card` lays it out.

    Raises
    ------
    InputError
        If the ledger has no entry about the case's tables.
    """
    return card_of(ledger.entries, case)


def card_of(entries: Iterable[Entry], case: Case) -> str:
    """Write the model card of a case's model from entries.

    Some may be about other cases.
    """
    from skops.card import Card

    steps = history(entries, case)
    card = Card(final_estimator(scorer(case.model)), model_diagram=False, template=None)
    roles = case.roles
    groups = ", ".join(plain(name) for name in roles.sensitive_features)
    card.add(
        **{
            "Model": f"A {type(final_estimator(scorer(case.model))).__name__} that decides on {plain(roles.target)}, fitted on "
            f"{count(case.n_retained, 'record')} of {len(case.retained):,}. {plain(roles.favorable_label)} is the favourable outcome; sensitive features "
            f"are {groups}.",
            "Model/Features": ", ".join(plain(name) for name in case.features),
            "Removals": _steps_in_words(steps) or "Nothing was removed from this model.",
        }
    )
    card.add_hyperparams(section="Model/Hyperparameters")
    if steps:
        measured = steps[-1].facts["measured"]
        card.add(
            **{
                "Evaluation": f"On {measured['n']:,} {ROWS_IN_WORDS[measured['on']]}, with {percent(measured['level'], 0)} intervals."
            }
        )
        card.add_table(folded=False, **{"Evaluation/Metrics": _metrics(measured)})
        card.select("Evaluation/Metrics").title = "Before and after the last step"
        card.add(**{"Evaluation/Side effects": plain(steps[-1].facts["guardrails"].get("sentence") or "No verdict.")})
    card.add(**{"Limits": "\n".join(f"- {one}" for one in REPORT_LIMITS)})
    return str(card.render())


def history(entries: Iterable[Entry], case: Case) -> list[Entry]:
    """Return the entries that lead to a case's model, the first one first.

    None where it is as it was opened.

    Raises
    ------
    InputError
        If none is about the case's tables.
    """
    about = [one for one in entries if one.facts.get("case", {}).get("data") == case.data_digest]
    if not about:
        raise InputError(
            "A model card must be of a model in the ledger. It has no entry about this one's tables; append a result of it."
        )
    found: list[Entry] = []
    key = case.key
    for entry in reversed(about):
        if entry.facts["case"]["after"] == key:
            found.append(entry)
            key = entry.facts["case"]["before"]
    return found[::-1]


def _steps_in_words(steps: Sequence[Entry]) -> str:
    return "\n".join(
        f"- {str(one.facts['at'])[:10]}: {one.kind} of {count(one.facts['forgotten']['n'], 'record')} by {_escaped(one.actor)} ({_escaped(one.reason)}). "
        f"{one.facts['method']['claim'].capitalize()}: {PLAIN_GUARANTEES[one.facts['method']['guarantee']]}"
        for one in steps
    )


def _escaped(text: str) -> str:
    return plain(printable(text))


def _metrics(measured: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {
            "metric": metric_in_words(row["metric"]),
            "of": plain(row["sensitive_feature"]),
            "before": number(row["before"]),
            "after": number(row["after"]),
            "change": f"{signed(row['change'])} ({interval(row['low'], row['high'])})",
        }
        for row in measured["metrics"]
        if row["sensitive_feature"] in (measured["sensitive_feature"], "(all)")
    ]
    return pd.DataFrame(rows)
