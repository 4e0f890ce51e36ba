"""Removal through fairlearn's ThresholdOptimizer, against training the whole of it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core
from core.actions.through_thresholds import Through
from core.case.group_thresholds import expected_decisions
from core.errors import NotSupportedError
from core.families.forest.unlearner import Forest
from core.families.logistic.unlearner import Newton
from core.files.models.models import load_model, save_model
from core.verification.conformance import check_unlearner

FEATURES = ["income", "debt"]
GAP = "equalized_odds_difference"


def table(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    made = pd.DataFrame({"sex": draw.choice(["f", "m"], rows), "old": draw.integers(0, 2, rows)})
    made["income"] = draw.normal(size=rows).round(1) + 1.2 * (made.sex == "m")
    made["debt"] = draw.normal(size=rows).round(1)
    made["weight"] = draw.integers(1, 3, rows).astype(float)
    made["granted"] = (made.income - made.debt + draw.logistic(size=rows) > 0.3).astype(int)
    return made


TRAIN, TEST = table(500, 1), table(400, 2)


def linear() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-12))


def fair(
    inner: Any, groups: Any = None, train: pd.DataFrame = TRAIN, weight: dict[str, Any] | None = None, **settings: Any
) -> Any:
    wanted = {"constraints": "equalized_odds", **settings}
    if wanted.get("prefit"):
        inner = inner.fit(train[FEATURES], train["granted"])
    model = ThresholdOptimizer(estimator=inner, **wanted)
    groups = train["sex"] if groups is None else groups
    return model.fit(train[FEATURES], train["granted"], sensitive_features=groups, **(weight or {}))


def lending(model: Any, train: pd.DataFrame = TRAIN, **roles: Any) -> core.Case:
    wanted = {"target": "granted", "pos_label": 1, "favorable_label": 1, "sensitive_features": ["sex", "old"], **roles}
    return core.Case(model, train, TEST, core.Roles(**wanted))


def chances(case: core.Case) -> np.ndarray[Any, Any]:
    return np.asarray(case.decisions("test"))


def test_a_case_counts_its_random_decisions_by_expectation() -> None:
    model = fair(linear())
    case = lending(model)
    rows = case.rows("explore")
    pmf = model._pmf_predict(TEST[FEATURES].iloc[rows], sensitive_features=TEST["sex"].iloc[rows])[:, 1]
    np.testing.assert_allclose(case.decisions("explore"), pmf, atol=1e-12)
    np.testing.assert_allclose(case.scores("explore"), model.estimator_.predict_proba(TEST[FEATURES].iloc[rows])[:, 1])
    report = core.audit(case, "selection_rate", on="explore")
    assert report.overall["selection_rate"] == pytest.approx(pmf.mean())
    refused = lending(model, pos_label=0, favorable_label=1)
    np.testing.assert_allclose(refused.favorable(refused.decisions("test")), chances(case), atol=1e-12)
    assert core.audit(refused, "accuracy", on="explore").overall["accuracy"] == pytest.approx(
        core.audit(case, "accuracy", on="explore").overall["accuracy"]
    )


@pytest.mark.parametrize(
    ("inner", "settings", "method", "within"),
    [
        (linear(), {}, "newton", 1e-6),
        (linear(), {"prefit": True, "constraints": "demographic_parity", "objective": "balanced_accuracy_score"}, "newton", 1e-6),
        (DecisionTreeClassifier(max_depth=4, random_state=0), {"constraints": "true_positive_rate_parity"}, "forest", 0.0),
        (linear(), {"predict_method": "decision_function"}, "refit", 0.0),
    ],
)  # fmt: skip
def test_a_removal_is_training_again(inner: Any, settings: Any, method: str, within: float) -> None:
    case = lending(fair(inner, **settings))
    forget = np.random.default_rng(0).choice(np.flatnonzero(TRAIN.sex == "f"), 60, replace=False)
    first = core.unlearn(case, forget[:20], method=method)
    result = core.unlearn(first.case, forget[20:], method=method)
    kept = TRAIN[result.case.retained]
    again = ThresholdOptimizer(**{**case.model.get_params(deep=False), "estimator": clone(inner), "prefit": False})
    again.fit(kept[FEATURES], kept["granted"], sensitive_features=kept["sex"])
    assert result.method == method
    np.testing.assert_allclose(result.case.scores("test"), lending(again).scores("test"), atol=within)
    np.testing.assert_allclose(chances(result.case), chances(lending(again)), atol=1e-9)
    assert np.abs(chances(result.case) - chances(case)).max() > 0.01
    assert result.case.model.prefit == bool(settings.get("prefit"))


def test_training_weights_reach_the_estimator_inside() -> None:
    weight = {"logisticregression__sample_weight": TRAIN["weight"]}
    case = lending(fair(linear(), weight=weight), sample_weight="weight")
    quick, slow = (core.unlearn(case, range(40), method=method).case for method in ("newton", "refit"))
    np.testing.assert_allclose(quick.scores("test"), slow.scores("test"), atol=1e-6)
    np.testing.assert_allclose(chances(quick), chances(slow), atol=1e-9)
    unweighted = lending(fair(linear(), train=TRAIN[40:]))
    assert np.abs(unweighted.scores("test") - slow.scores("test")).max() > 1e-4


def test_edited_labels_and_weights_reach_thresholds_and_inside() -> None:
    case = lending(fair(linear()))
    relabel, reweight = dict.fromkeys(range(40), 1), dict.fromkeys(range(60, 90), 3.0)
    quick, slow = (core.edit(case, relabel, reweight=reweight, method=method) for method in ("newton", "refit"))
    assert quick.n_edited == slow.n_edited > 30
    np.testing.assert_allclose(quick.case.scores("test"), slow.case.scores("test"), atol=1e-6)
    np.testing.assert_allclose(chances(quick.case), chances(slow.case), atol=1e-9)
    edited = TRAIN.assign(granted=np.where(TRAIN.index < 40, 1, TRAIN.granted))
    weight = np.where((TRAIN.index >= 60) & (TRAIN.index < 90), 3.0, 1.0)
    again = lending(fair(linear(), train=edited, weight={"logisticregression__sample_weight": weight}))
    np.testing.assert_allclose(chances(slow.case), chances(again), atol=1e-9)


def test_searches_say_that_they_need_the_estimator_inside() -> None:
    case = lending(fair(linear()))
    for search in (core.influence, core.explain_gap, core.plan_removal, lambda case: core.preview(case, [1])):
        with pytest.raises(NotSupportedError, match=r"where decisions are certain.*the estimator inside"):
            search(case)
    with pytest.raises(NotSupportedError, match=r"Reasons are given.*the estimator inside"):
        core.reasons(case, [1])


def test_thresholds_held_fixed_do_not_foretell_the_gap_that_a_removal_leaves() -> None:
    case = lending(fair(linear(), constraints="demographic_parity"))
    inside, rows = lending(case.model.estimator_), case.rows("test")
    codes, thresholds = case.groups("sex", "test").codes, case.model.interpolated_thresholder_

    def gap(decisions: Any) -> float:
        return float(np.ptp([decisions[codes == code].mean() for code in range(2)]))

    fixed, real = [], []
    for low in np.linspace(-2, 1.5, 8):
        for sex in "fm":
            for label in (0, 1):
                chosen = TRAIN.debt.between(low, low + 0.5) & (TRAIN.sex == sex) & (TRAIN.granted == label)
                ids = case.record_ids[chosen.to_numpy()]
                scores = core.unlearn(inside, ids).case.scores("test")
                fixed.append(
                    gap(expected_decisions(thresholds, scores, TEST["sex"].to_numpy()[rows])) - gap(chances(case))
                )
                real.append(gap(chances(core.unlearn(case, ids).case)) - gap(chances(case)))
    assert abs(np.corrcoef(fixed, real)[0, 1]) < 0.4


def test_the_retrain_gap_counts_the_decisions_expected_to_differ() -> None:
    case = lending(fair(linear()))
    exact = core.unlearn(case, range(60)).case
    stale = case.replace(case.model, exact.retained)
    assert core.retrain_gap(exact, on="test").n_flipped == 0
    gap = core.retrain_gap(stale, on="test")
    assert gap.n_flipped == round(np.abs(chances(stale) - chances(gap.refit)).sum()) > 0


def test_the_guarantee_is_that_of_the_estimator_inside(leaves_first: None) -> None:
    options = {one.name: one for one in core.unlearners_for(lending(fair(linear())))}
    assert options["newton"].fits
    assert options["newton"].guarantee is core.Guarantee.CERTIFIED
    assert not options["forest"].fits
    case = lending(fair(GradientBoostingClassifier(n_estimators=5, random_state=0)))
    boosted = core.unlearn(case, range(30))
    assert (boosted.method, boosted.guarantee) == ("leaf_refit", core.Guarantee.APPROXIMATE)
    assert any("chosen anew" in note for note in boosted.notes)


def test_leaves_give_way_inside_thresholds_too() -> None:
    case = lending(fair(GradientBoostingClassifier(n_estimators=5, random_state=0)))
    boosted = core.unlearn(case, range(30))
    assert (boosted.method, boosted.guarantee) == ("refit", core.Guarantee.EXACT)
    assert any("leaf_refit: training again takes only" in note for note in boosted.notes)


@pytest.mark.parametrize(
    ("unlearner", "inner"), [(Newton(), linear()), (Forest(), DecisionTreeClassifier(max_depth=3, random_state=0))]
)
def test_conformance(unlearner: Any, inner: Any) -> None:
    assert check_unlearner(Through(unlearner), lending(fair(inner)))["passed"].all()


def test_a_group_must_keep_records_of_both_labels() -> None:
    case = lending(fair(linear()))
    women = TRAIN.sex == "f"
    with pytest.raises(core.RedressError, match="leaves none of 'f'"):
        core.unlearn(case, np.flatnonzero(women))
    with pytest.raises(core.RedressError, match="both labels"):
        core.unlearn(case, np.flatnonzero(women & (TRAIN.granted == 1)))


@pytest.mark.parametrize("groups", ["old", "both", "names"])
def test_the_groups_of_the_thresholds_are_found(groups: str) -> None:
    columns = {"old": TRAIN["old"], "both": TRAIN[["sex", "old"]], "names": TRAIN.sex + ", " + TRAIN.old.astype(str)}
    test = {"old": TEST["old"], "both": TEST[["sex", "old"]], "names": TEST.sex + ", " + TEST.old.astype(str)}
    model = fair(linear(), columns[groups], constraints="demographic_parity")
    case = lending(model)
    expected = model._pmf_predict(TEST[FEATURES], sensitive_features=test[groups])[:, 1]
    np.testing.assert_allclose(chances(case), expected, atol=1e-12)


def test_of_two_columns_with_the_same_cells_the_right_one_is_found() -> None:
    draw = np.random.default_rng(3)
    train, test = (part.assign(coin=draw.integers(0, 2, len(part))) for part in (TRAIN, TEST))
    model = fair(linear(), train["old"], train=train, constraints="demographic_parity")
    roles = core.Roles("granted", 1, 1, ["coin", "old"])
    case = core.Case(model, train, test, roles)
    expected = model._pmf_predict(test[FEATURES], sensitive_features=test["old"])[:, 1]
    np.testing.assert_allclose(chances(case), expected, atol=1e-12)


def test_other_groups_thresholds_and_labels_are_refused() -> None:
    with pytest.raises(core.RedressError, match="It knows 'a', 'b'"):
        lending(fair(linear(), np.where(TRAIN.sex == "f", "a", "b")))
    some = TRAIN[TRAIN.sex == "f"].reset_index(drop=True)
    with pytest.raises(core.RedressError, match="sex = 'm' has none"):
        lending(fair(linear(), train=some))
    case = lending(fair(linear()))
    for attempt in (
        lambda: case.with_threshold(0.4),
        lambda: case.cut("test"),
        lambda: lending(case.model, threshold=1),
    ):
        with pytest.raises((core.RedressError, TypeError)):
            attempt()
    with pytest.raises(core.RedressError, match="not; call fit"):
        lending(ThresholdOptimizer(estimator=linear()))
    assert "already" in core.mitigate(case, "threshold_optimizer").reason


def test_provenance_looks_at_thresholds_and_inside() -> None:
    case = lending(fair(linear()))
    verdict = core.check_provenance(case)
    assert verdict.status == "verified"
    assert verdict.evidence.startswith("The thresholds are those these rows give. ")
    moved = lending(fair(linear(), train=TRAIN, constraints="demographic_parity"))
    moved.model.constraints = "equalized_odds"
    assert "decide otherwise" in core.check_provenance(moved).evidence
    assert core.check_provenance(lending(case.model, train=table(500, 7))).status == "mismatch"


def test_it_is_saved_without_its_curves_and_read_again(tmp_path: Path) -> None:
    case = core.unlearn(lending(fair(linear())), range(30)).case
    back = core.load_case(case.save(tmp_path / "case"))
    np.testing.assert_array_equal(chances(back), chances(case))
    assert back.key == case.key
    assert not hasattr(case.model, "_tradeoff_curve")
    shift = core.compare(case, back, metric=[GAP, "accuracy"])
    assert shift["change"].abs().max() == 0.0
    assert (shift["p_value"] == 1.0).all()


def test_a_forest_inside_goes_on_exactly_once_it_is_loaded(tmp_path: Path) -> None:
    case = lending(fair(RandomForestClassifier(4, max_depth=4, random_state=0)))
    first = core.unlearn(case, range(20)).case
    back = core.load_case(first.save(tmp_path / "case"))
    assert core.check_provenance(back).status == "verified"
    again, direct = core.unlearn(back, range(20, 40)), core.unlearn(first, range(20, 40))
    assert again.method == direct.method == "forest"
    np.testing.assert_array_equal(chances(again.case), chances(direct.case))


def test_a_file_that_would_call_another_method_is_refused(tmp_path: Path) -> None:
    save_model(fair(linear()), tmp_path / "good.skops")
    bad = load_model(tmp_path / "good.skops")
    bad._predict_method = "fit"
    (tmp_path / "method.skops").write_bytes(skops.io.dumps(bad))
    with pytest.raises(core.RedressError, match="gives no predictions"):
        load_model(tmp_path / "method.skops")
    bad = load_model(tmp_path / "good.skops")
    bad.interpolated_thresholder_.interpolation_dict["f"]["operation0"] = np.exp
    (tmp_path / "rule.skops").write_bytes(skops.io.dumps(bad))
    with pytest.raises(core.RedressError, match="not a comparison"):
        load_model(tmp_path / "rule.skops")
