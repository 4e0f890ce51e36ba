"""One page of before and after: its figures are the library's, and it calls nobody."""

from __future__ import annotations

import re

import core
from core.take_away.page import before_after_page
from core.words import number, percent

GAP = "equal_opportunity_difference"


def test_the_page_says_what_the_library_says_and_names_its_rows(small_case: core.Case) -> None:
    harmful = core.harmful(core.influence(core.prepare(small_case), GAP, sensitive_feature="sex"))
    now = core.unlearn(small_case, harmful[:15]).case
    page = before_after_page(small_case, now, GAP, "sex", title="<b>Loans", steps=["15 <records> removed"])
    row = core.compare(small_case, now, metric=GAP, sensitive_feature="sex").iloc[0]
    for value in (row["before"], row["after"]):
        assert f">{number(value)}<" in page
    by_group = core.audit(now, GAP, sensitive_feature=["sex"], on="explore").by_group.loc["sex"]
    for _, group in by_group.iterrows():
        rate, hits, of = (group[f"true_positive_rate{part}"] for part in ("", "_hits", "_of"))
        assert f"{percent(rate)} ({hits:,.0f} of {of:,.0f})" in page
    verdict = core.guardrails(small_case, now, metric=GAP, sensitive_feature="sex")
    assert verdict.said[-1][:40] in page
    assert f"{len(small_case.rows('explore')):,} test rows searched" in page
    assert "&lt;b&gt;Loans" in page
    others = page.partition("What else changed")[2]
    table = core.compare(small_case, now, sensitive_feature="sex").drop([(GAP, "sex")])
    unsure = table[(table["direction"] != "") & (table["low"] <= 0) & (table["high"] >= 0)]
    assert others.count(", may be chance<") == len(unsure) > 0
    assert "15 &lt;records&gt; removed" in page
    assert not re.search(r"<script|https?://|src=|href=|@import|url\(", page)
    assert small_case.looks is now.looks
    assert len(now.looks) == len(small_case.looks), "the rows kept aside were not looked at"
