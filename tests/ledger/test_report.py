"""The report, the tables and the model card of a pack: what they say is what the entries say."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest

import core
from core.errors import InputError
from core.ledger.charts import Bar, ChangeMark, changes, rate_bars
from core.ledger.entries import Entry, first_hash
from core.ledger.report import Heading, report_html
from core.ledger.tables import tables_of
from core.words import interval, number

HEADING = Heading("2026-01-02T03:04:05", "ab" * 16, "cd" * 32)
SECTIONS = (
    *(
        "What was asked",
        "Data and model",
        "Before and after",
        "Thresholds looked by",
        "Rules",
        "Method and guarantee",
        "Proof",
    ),
    *(
        "Side effects",
        "Alternatives tried",
        "Random removals of the same size",
        "Looks at the rows kept aside",
        "Limits",
    ),
)


@pytest.fixture(scope="module")
def full(lending: core.Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, core.UnlearnResult]:
    """An entry with all that may stand beside a removal."""
    folder = tmp_path_factory.mktemp("full")
    harmful = core.take_harmful(lending).with_expected()
    result = core.unlearn(lending, harmful.forget)
    entry = core.Ledger(f"sqlite:///{folder}/redress.db", keys=folder / "keys").append(
        result,
        actor="Ada",
        reason="close the gap",
        on="confirm",
        found=harmful,
        proof=core.retrain_gap(result.case),
        alternatives=[core.mitigate(lending, "threshold_optimizer")],
        random=core.random_removals(lending, [len(harmful.forget)], n_draws=3),
    )
    return entry, result


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_every_section_is_there_in_order(full: tuple[Entry, core.UnlearnResult]) -> None:
    page = report_html([full[0]], HEADING)
    places = [page.index(f">{title}</h") for title in SECTIONS]
    assert places == sorted(places)
    assert "Not recorded" not in page
    assert page.count("<svg") == 2


def test_figures_are_those_of_the_entry(full: tuple[Entry, core.UnlearnResult]) -> None:
    entry, result = full
    shown = text_of(report_html([entry], HEADING))
    looks = len(result.case.looks)
    shift = core.compare(result.before, result.case, on="confirm")
    for name in ("before", "after"):
        assert all(number(value) in shown for value in shift[name])
    facts = entry.facts
    for said in (
        facts["guardrails"]["sentence"],
        facts["found"]["expected"]["sentence"],
        facts["proof"]["retrain_gap"]["sentence"],
        facts["policy"]["profile"],
        facts["case"]["data"],
        facts["case"]["model_after"],
        "350 test rows kept aside",
        "threshold optimizer",
    ):
        assert " ".join(said.split()) in shown.replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<"), said
    assert len(facts["looks"]) == looks > 0
    low, high = (facts["found"]["path"][1][f"gap_{end}"] for end in ("low", "high"))
    assert f"({interval(low, high)})" in shown


def test_a_change_that_may_be_chance_is_not_called_better(full: tuple[Entry, core.UnlearnResult]) -> None:
    entry, _ = full
    said = re.findall(r">[^<>]*[0-9] (better|worse)</text>", report_html([entry], HEADING))
    measured = entry.facts["measured"]
    shown = [row for row in measured["metrics"] if row["sensitive_feature"] in ("(all)", measured["sensitive_feature"])]
    assert said == [row["direction"] for row in shown if row["p_value"] < 0.05]
    assert any(row["direction"] for row in shown if row["p_value"] >= 0.05)


def test_what_was_not_recorded_is_said(written: core.Ledger) -> None:
    page = report_html(written.entries[1:], HEADING)
    for what in (
        "rows that were not searched",
        "a search for records",
        "a comparison with training again",
        "mitigators",
        "at random",
    ):
        assert re.search(f"Not recorded with this entry: [^<]*{what}", page), what


def hostile(text: str) -> Entry:
    facts = {
        "kind": text,
        "at": "2026",
        "actor": text,
        "reason": text,
        "deleted": [{text: text, "n": 3}],
        "more": {text: {text: 1.5}},
    }
    return Entry.made(1, first_hash("a"), facts)


def test_text_from_elsewhere_stays_text() -> None:
    text = "<img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\x1b[31m"
    page = report_html([hostile(text)], HEADING)
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    drawn = rate_bars([Bar("<b>", "&", (0.5, None, None), (None, None, None))], "<t>") + changes(
        [ChangeMark("<b>", -0.2, -0.3, 0.1, "worse", "-0.2"), ChangeMark("none", None, None, None, "", "")], "<t>"
    )
    assert "<b>" not in drawn
    assert "not defined" in drawn
    assert changes([], "nothing") == "" == rate_bars([], "nothing")


def test_a_table_is_no_formula() -> None:
    facts = {"kind": "removal", "measured": {"metrics": [{"metric": "=1+1", "group": "@x", "change": -0.25}]}}
    entry = Entry.made(1, first_hash("a"), facts)
    rows = list(csv.reader(io.StringIO(tables_of([entry])["tables/entry_0001_metrics.csv"])))
    assert sorted(rows[1]) == ["'=1+1", "'@x", "-0.25"]


def test_tables_hold_what_the_entry_holds(full: tuple[Entry, core.UnlearnResult]) -> None:
    entry, _ = full
    tables = tables_of([entry])
    for name, rows in (
        ("metrics", entry.facts["measured"]["metrics"]),
        ("policy", entry.facts["policy"]["gaps"]),
        ("random", entry.facts["random"]),
        ("path", entry.facts["found"]["path"]),
    ):
        table = pd.read_csv(io.StringIO(tables[f"tables/entry_0001_{name}.csv"]))
        assert len(table) == len(rows) > 0
    assert "Ada" in tables["tables/timeline.csv"]


def test_a_model_card_tells_the_way_to_the_model(
    written: core.Ledger, removal: core.UnlearnResult, lending: core.Case, tmp_path: Path
) -> None:
    card = core.model_card(written, core.load_case(removal.case.save(tmp_path / "case")))
    assert "removal of 3 records by Ada" in card
    assert "by Ben" not in card
    assert "797 records of 800" in card
    assert "| solver" in re.sub(" +", " ", card)
    assert "Certified: The model lies within a distance" in card
    assert "Nothing was removed" in core.model_card(written, lending)
    with pytest.raises(InputError, match="must be of a model in the ledger"):
        core.model_card(written, core.load_case("null"))


def test_rules_are_written_down(lending: core.Case, keys: Path) -> None:
    found = core.explain_gap(lending, top_k=2, expected=False)
    ledger = core.Ledger("sqlite://", keys=keys)
    entry = ledger.append(core.unlearn(lending, found[0].forget), actor="Ada", reason="a rule", found=found)
    assert [one["rule"] for one in entry.facts["found"]["rules"]] == [one.rule for one in found]
    shown = report_html([entry], HEADING)
    assert f"{found.n_tried:,} rules were tried" in shown
    alone = ledger.append(core.unlearn(lending, found[0].forget), actor="Ada", reason="a rule", found=found[0])
    assert len(alone.facts["found"]["rules"]) == 1
