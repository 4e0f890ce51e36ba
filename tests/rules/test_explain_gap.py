"""Rules that explain a gap.

Planted causes are found, effects are as they are, chance is called chance, and bad input named.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import core
from core.attribution.expected import divide
from core.errors import InputError, InputTypeError
from core.metrics.compare import compare
from core.rules import measuring

GAP = "equal_opportunity_difference"
FEATURES = ["sex", "branch", "income", "debt"]


def applications(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "person": [f"p{number}" for number in range(rows)],
            "sex": draw.integers(0, 2, rows),
            "branch": draw.integers(0, 4, rows),
            "income": draw.normal(size=rows).round(3),
            "debt": draw.normal(size=rows).round(3),
            "job": draw.choice(["clerk", "cook"], rows),
        }
    )
    table["granted"] = (2.0 * table.income - table.debt + draw.logistic(size=rows) > 0).astype(int)
    return table


def wronged(table: pd.DataFrame) -> pd.Series:
    return (table.sex == 0) & (table.branch == 2)


def planted(model: object, rows: int = 2500, test_rows: int = 2500) -> core.Case:
    train, test = applications(rows, 1), applications(test_rows, 2)
    train.loc[wronged(train) & (np.random.default_rng(3).random(rows) < 0.85), "granted"] = 0
    roles = core.Roles("granted", 1, 1, ["sex"], features=FEATURES, record_id="person")
    return core.Case(model.fit(train[FEATURES], train.granted), train, test, roles, seed=0)


@pytest.fixture(scope="module")
def case() -> core.Case:
    return core.prepare(planted(LogisticRegression(C=10.0, solver="newton-cholesky")))


@pytest.fixture(scope="module")
def found(case: core.Case) -> core.Explanation:
    return core.explain_gap(case, max_predicates=2, top_k=3)


@pytest.mark.parametrize(
    ("model", "closes_half", "beside_a_preview"),
    [
        (RandomForestClassifier(8, max_depth=6, random_state=0), True, "from every tree, as a preview does where that"),
        (
            HistGradientBoostingClassifier(max_iter=12, random_state=0),
            True,
            "training the model again without these records, as a preview does.",
        ),
        (MLPClassifier((4,), max_iter=300, tol=1e-2, random_state=0), False, "; there is no preview for this model."),
    ],
    ids=["forest", "boosting", "network"],
)
def test_the_planted_rule_comes_first(model: object, closes_half: bool, beside_a_preview: str) -> None:
    case = planted(model)
    found = core.explain_gap(case, max_predicates=2, top_k=1, columns=["sex", "branch", "income"], expected=True)
    first = found[0]
    truth = case.record_ids[wronged(case.train)]
    assert len(truth.intersection(first.forget)) / len(truth.union(first.forget)) >= 0.8
    assert first.helps
    assert first.found_again == first.n_searches == first.expected.n_found == 10
    assert first.this_group is closes_half, "a network of four units trained again keeps more than half of the gap"
    assert beside_a_preview in first.beside_a_preview


def test_a_rule_names_the_records_it_forgets(case: core.Case, found: core.Explanation) -> None:
    assert found[0].rule == "sex = 0 and branch = 2"
    assert found[0].forget.equals(case.record_ids[wronged(case.train)])
    for one in found:
        holds = np.logical_and.reduce([condition.holds(case.train) for condition in one.conditions])
        assert one.forget.equals(case.record_ids[holds])
        assert one.support == pytest.approx(holds.mean())
        assert one.make_up["n"].sum() == one.n_records
    assert found[0].sensitive == ("sex",)
    assert "the rule names sex (sensitive)" in found[0].sentence


def test_verified_effects_are_those_of_real_removals(case: core.Case, found: core.Explanation) -> None:
    for one in found:
        shift = compare(
            case, core.unlearn(case, one.forget).case, on="explore", metric=GAP, sensitive_feature=["sex"]
        ).iloc[0]
        assert one.verified == pytest.approx(shift["after"] - shift["before"], abs=1e-12)
        signed = "signed_" if one.reversed else ""
        assert (one.low, one.high) == (shift[f"{signed}low"], shift[f"{signed}high"])
        assert one.verified < 0
    order = [(one.levels_down, -one.worth) for one in found]
    assert order == sorted(order)


def test_where_groups_change_places_the_sentence_gives_the_change_its_interval_is_of(found: core.Explanation) -> None:
    turned = [one for one in found if one.reversed]
    assert turned
    for one in found:
        assert one.change == pytest.approx(-one.after - one.before if one.reversed else one.verified)
        assert one.low <= one.change <= one.high
        said = f"signed difference {one.change:+.3f}, interval {one.low:+.3f} to {one.high:+.3f}"
        assert (said in one.sentence) == ("the other way round" in one.sentence) == one.reversed
    level, over = (replace(turned[0], after=after) for after in (0.0004, 0.0006))
    assert not level.turned
    assert "other way round" not in level.sentence, "0.000 has no other way"
    assert "0.001 the other way round" in over.sentence
    assert not replace(level, metric="equal_opportunity_ratio", after=0.9996).turned
    assert found.table["reversed"].tolist() == [one.reversed for one in found]
    assert found.table["change"].between(found.table["low"], found.table["high"]).all()


def test_whether_there_is_a_gap_is_asked_on_all_test_rows_of_a_model_as_opened(case: core.Case) -> None:
    def p_value(of: core.Case, on: str) -> float:
        return float(core.audit(of, GAP, sensitive_feature=["sex"], on=on).gaps["p_value"].iloc[0])

    asked = {"max_predicates": 1, "top_k": 1, "columns": ["job"], "min_support": 0.4, "max_support": 0.6}
    fewer = case.only("income > 0.4")
    found = core.explain_gap(fewer, **asked)
    on_all, on_half = p_value(fewer, "test"), p_value(fewer, "explore")
    assert on_all < 0.05 < on_half, "half of the rows cannot tell what all of them show"
    assert (found.gap_p_value, found.tested.on, found.tested.n) == (on_all, "test", len(fewer.rows("test")))
    assert found.gap == pytest.approx(
        core.audit(fewer, GAP, sensitive_feature=["sex"], on="explore").gaps["value"].iloc[0]
    )
    assert f"on all {found.tested.n:,} test rows where income > 0.4)" in repr(found)
    assert not any("may be chance" in note for note in found.notes)
    changed = core.unlearn(case, ["p1", "p2"]).case
    known = core.explain_gap(changed, **asked)
    assert (known.gap_p_value, known.tested.on) == (p_value(changed, "explore"), "explore"), (
        "of rows kept aside it knows nothing"
    )


def test_where_no_rule_narrows_the_gap_a_note_says_so(case: core.Case) -> None:
    found = core.explain_gap(case, max_predicates=1, columns=["job"], min_support=0.5, max_support=0.6)
    assert len(found) == 0
    assert found.n_tried == 1
    assert (
        "for 1,250 to 1,500 of the 2,500 records narrows the gap by at least 5%: of 1 tried none is predicted to"
        in found.notes[-1]
    )
    assert "Widen the support bounds" in found.notes[-1]


def test_rules_that_close_less_than_their_share_are_counted_and_not_shown(case: core.Case) -> None:
    whole, fewer = (core.explain_gap(case, max_predicates=2, top_k=3, min_responsibility=share) for share in (0, 0.6))
    far = [one.rule for one in whole if one.responsibility >= 0.6]
    assert 0 < len(far) < len(whole)
    assert [one.rule for one in fewer] == far
    assert fewer.n_left_out == whole.n_left_out + len(whole) - len(far)
    assert f"Not shown: {fewer.n_left_out} of the" in fewer.notes[-1]
    assert fewer.notes[-1].endswith("closed less than 60% of the gap.")
    assert f"{len(far)} of {fewer.n_tried:,} rules shown, {fewer.n_left_out} left out" in repr(fewer)


def test_a_rule_says_how_its_change_was_verified_and_a_preview_predicts(
    case: core.Case, found: core.Explanation
) -> None:
    for one in found:
        preview = core.preview(case, one.forget, metric=GAP, sensitive_feature=["sex"]).iloc[0]
        assert preview["after"] - preview["before"] == pytest.approx(one.verified, abs=0.01)
        assert one.beside_a_preview.startswith("Measured by Newton steps")
    assert "again without these records; a preview keeps the structure" in measuring.beside_a_preview(case, "refit")
    assert f"predicted {found[0].predicted:+.3f}, measured {found[0].verified:+.3f}" in repr(found[0])


def test_bins_of_the_roles_must_be_of_columns_too(case: core.Case) -> None:
    roles = case.roles.with_(bins={"incme": [0.0]})
    made = core.Case(case.model, case.train, case.test, roles, seed=0)
    with pytest.raises(InputError, match=r"Got 'incme' in Roles.bins. Did you mean 'income'"):
        core.explain_gap(made)


def test_shown_rules_are_about_different_records(found: core.Explanation) -> None:
    for place, one in enumerate(found):
        for other in found[:place]:
            assert len(one.forget.intersection(other.forget)) < 0.8 * min(one.n_records, other.n_records)


def test_predicted_effects_follow_real_ones(case: core.Case, found: core.Explanation) -> None:
    some = found.candidates.dropna(subset="predicted").head(12)
    real = []
    for conditions in some["conditions"]:
        forget = case.record_ids[np.logical_and.reduce([one.holds(case.train) for one in conditions])]
        shift = compare(
            case, core.unlearn(case, forget).case, on="explore", metric=GAP, sensitive_feature=["sex"]
        ).iloc[0]
        real.append(shift["after"] - shift["before"])
    assert np.corrcoef(some["predicted"], real)[0, 1] >= 0.95


def test_a_rule_that_only_takes_from_the_better_off_is_no_cause() -> None:
    from sample_data.trap import make

    trap = make.make_trap()
    found = core.explain_gap(make.make_case(trap), "demographic_parity_difference", max_predicates=1)
    for one in found:
        assert one.levels_down or len(one.forget.intersection(trap.tempting)) < 0.5 * len(trap.tempting)


def test_where_nothing_is_wrong_nothing_is_said_to_help() -> None:
    from sample_data.null import make

    shown = 0
    for seed in range(3):
        found = core.explain_gap(make.make_case(make.make_null(seed)), max_predicates=2, top_k=3, expected=True)
        shown += len(found)
        assert not found.helping
        assert found.searched_again
        assert not any(one.this_group for one in found)
        assert not len(found) or "rows cannot tell that" in found.notes[-1]
        assert all("is expected" in one.claim or "cannot tell" in one.claim for one in found)
    assert shown > 0, "on the rows searched rules close the gap all the same"


def test_expected_gains_come_after_the_first_results() -> None:
    # With the 1,250 rows that other tests search, the interval of its gain (.109) reaches to -.009.
    case = core.prepare(planted(LogisticRegression(C=10.0, solver="newton-cholesky"), test_rows=8000))
    found = core.explain_gap(case, max_predicates=2, top_k=3)
    assert not found.searched_again
    assert found.helping == ()
    assert [(one.helps, one.this_group, one.expected, one.claim) for one in found] == [(None, None, None, "")] * len(
        found
    )
    said: list[tuple[float, str]] = []
    known = core.expected_gains(found, progress=lambda *report: said.append(report))
    assert [one.rule for one in known] == [one.rule for one in found]
    assert [share for share, _ in said] == sorted(share for share, _ in said)
    first = known[0]
    assert (first.helps, first.this_group, first.found_again, first.n_searches) == (True, True, 10, 10)
    assert known.helping[0] is first
    assert "Expected to close" in first.claim
    assert "it is this group" in first.claim
    others = core.compare(
        case, core.unlearn(case, first.forget).case, metric=GAP, sensitive_feature=["sex"], on="confirm"
    ).iloc[0]
    assert first.expected.low < others["before"] - others["after"] < first.expected.high
    table = known.table
    assert table["expected_gain"].iloc[0] == first.expected.gain
    assert table["helps"].iloc[0]
    assert core.expected_gains(known)[0].expected == first.expected


def test_no_rule_is_said_to_help_with_a_gap_that_may_be_chance(found: core.Explanation) -> None:
    one = core.expected_gains(found)[0]
    assert one.gap_p_value == found.gap_p_value
    sure = replace(one, expected=replace(one.expected, low=0.01), gap_p_value=0.04)
    assert sure.helps
    unsure = replace(sure, gap_p_value=0.06)
    assert (unsure.helps, unsure.this_group) == (False, False)
    assert "as the gap itself may be chance" in unsure.claim


def test_an_expected_gain_is_the_mean_over_the_halves_that_were_not_searched(
    case: core.Case, found: core.Explanation
) -> None:
    planted = core.expected_gains(found)[0]
    after = core.unlearn(case, planted.forget).case.scores("explore")
    gains = [half.gain(GAP, "sex", after).value for halves in divide(case, "sex", "explore", seed=0) for half in halves]
    assert planted.expected.n_found == 10
    assert planted.expected.gain == pytest.approx(np.mean(gains), abs=1e-9)


def test_former_names_say_what_they_are_now(found: core.Explanation, case: core.Case) -> None:
    with pytest.warns(DeprecationWarning, match="is now `helps`"):
        assert found[0].survives is False
    with pytest.warns(DeprecationWarning, match="len\\(helping\\)"):
        assert found.n_discoveries == 0
    with pytest.warns(DeprecationWarning, match="`q` has no effect"):
        core.explain_gap(case, max_predicates=1, top_k=1, q=0.1)
    with pytest.raises(InputTypeError, match=r"must be what core\.explain_gap gives"):
        core.expected_gains(found.table)


def test_stopping_keeps_what_was_found(case: core.Case) -> None:
    said: list[tuple[float, str]] = []
    stopped = core.explain_gap(
        case,
        top_k=5,
        cancelled=lambda: said[-1][0] >= 0.5,
        progress=lambda *report: said.append(report),
    )
    assert not stopped.complete
    assert len(stopped) == 0
    assert len(stopped.candidates) > 0
    assert stopped.n_tried > 0
    assert core.expected_gains(stopped) is stopped
    half_way = core.explain_gap(
        case,
        max_predicates=1,
        cancelled=lambda: [what for _, what in said].count("Removing the records of the best rules") == 2,
        progress=lambda *report: said.append(report),
    )
    assert (half_way.complete, len(half_way)) == (False, 1)
    scored = core.explain_gap(
        case,
        max_predicates=1,
        cancelled=lambda: said[-1][1] == "Removing the records of the best rules",
        progress=lambda *report: said.append(report),
    )
    assert (scored.complete, [one.rule for one in scored]) == (False, [half_way[0].rule])
    nothing = core.explain_gap(
        case,
        max_predicates=1,
        min_responsibility=0.999,
        cancelled=lambda: said[-1][1] == "Removing the records of the best rules",
        progress=lambda *report: said.append(report),
    )
    assert (nothing.complete, len(nothing)) == (False, 0)
    assert not [note for note in nothing.notes if note.startswith("No rule")], "that was not looked into to the end"


def test_progress_may_give_everything_up(case: core.Case) -> None:
    class GivenUpError(Exception):
        pass

    def give_up(_: float, what: str) -> None:
        if what.startswith("Predicting"):
            raise GivenUpError

    with pytest.raises(GivenUpError):
        core.explain_gap(case, progress=give_up)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"on": "confirm"}, "must not look at the confirm rows"),
        ({"metric": "accuracy"}, "must compare groups"),
        ({"min_support": 0.3}, "0 < min_support <= max_support"),
        ({"min_support": 0.61, "max_support": 0.62, "max_predicates": 1}, "Some rule must hold"),
        ({"columns": ["incme"]}, "Did you mean 'income'"),
        ({"columns": ["person"]}, "not the target, an id"),
        ({"bins": {"incme": [0.0]}}, "Did you mean 'income'"),
        ({"max_predicates": 0}, "1 to 5 conditions"),
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"min_responsibility": 1.0}, "from 0 to below 1"),
    ],
)
def test_bad_input_is_named(case: core.Case, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        core.explain_gap(case, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"columns": "income"}, "Columns must be given as a list"),
        ({"bins": "5"}, "must be a number of bins"),
        ({"max_predicates": "2"}, "must be a whole number"),
        ({"min_support": "1%"}, "must be a finite number"),
    ],
)
def test_input_of_another_kind_is_named(case: core.Case, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputTypeError, match=sentence):
        core.explain_gap(case, **options)


def test_no_gap_and_an_undefined_gap_are_said_to_be(case: core.Case) -> None:
    everybody = case.with_threshold(0.0)
    with pytest.raises(InputError, match="which is none"):
        core.explain_gap(everybody)
    test = case.test.assign(granted=np.where(case.test.sex == 0, 0, case.test.granted))
    undefined = core.Case(case.model, case.train, test, case.roles, seed=0)
    with pytest.raises(InputError, match="is undefined on the explore rows"):
        core.explain_gap(undefined)


def test_ids_rare_categories_and_dates_are_left_out_with_a_note() -> None:
    base = planted(LogisticRegression())
    draw = np.random.default_rng(0)
    train = base.train.assign(
        town=[f"t{number}" for number in draw.integers(0, 10_000, len(base.train))],
        number=np.arange(len(base.train)),
        since=pd.Timestamp("2026-01-01"),
    )
    found = core.explain_gap(core.Case(base.model, train, base.test, base.roles, seed=0), max_predicates=1, top_k=1)
    notes = " ".join(found.notes)
    assert "every record has its own value: 'number'" in notes
    assert "No value of 'town' is frequent enough" in notes
    assert "dates have no bins: 'since'" in notes


def test_a_model_of_other_rows_says_that_rules_are_credited_with_training_on_these() -> None:
    case = planted(RandomForestClassifier(4, max_depth=4, random_state=0))
    other = applications(2500, 7)
    model = RandomForestClassifier(4, max_depth=4, random_state=0).fit(other[FEATURES], other.granted)
    foreign = case.replace(model, case.retained)
    said = "does not come from these rows and labels"
    options = {"max_predicates": 2, "top_k": 3, "min_responsibility": 0.0, "seconds": 3.0}
    assert said in " ".join(core.explain_gap(foreign, **options).notes)
    assert said not in " ".join(core.explain_gap(case, **options).notes)
