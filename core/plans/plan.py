"""Removal plans: few records whose removal brings a gap to a target.

At a price in utility that is agreed beforehand.

Greedy by influence, re-scored by real unlearning at checkpoints: a part of the records is removed, the metric and the utility are
measured, and influence is taken anew on the model that is left. Where removals are approximate, the model is trained again at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.actions.influence import not_at_random, not_on_confirm
from core.actions.unlearn import prepare, unlearn
from core.attribution.expected import ExpectedGain, expected_gain
from core.case.arguments import check_count
from core.case.case import Case
from core.errors import InputError, InputTypeError, whole_number
from core.former import formerly
from core.metrics.catalog import metric_of
from core.metrics.compare import compare
from core.metrics.samples import feature_name
from core.plans.random_removals import band, random_removals
from core.plans.search import Goal, PlanStage, Search, records_in_words, room_of
from core.plans.utility import COST, Utility, words_of
from core.shown import Shown
from core.typing import Progress, part_of
from core.words import count, interval, signed, where_said

if TYPE_CHECKING:
    from core.figures.look import Figure

SIZES = 4
"""Sizes, spread over a plan's path, at which records are removed at random."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Shown):
    """A set of records to remove, and the way to it.

    Parameters
    ----------
    metric : str
    sensitive_feature : str or tuple of str
    target : float
    utility : str
    forget : Index
        Ids of the records to remove, in the order found.
    reached_on_searched : bool
        Whether the metric is at the target, on the rows searched; where removals are approximate, after training again.
    reason : str
        What was reached, and where it was not, how far it got and what stopped it; then what to expect on other rows, once that is known.
    path : DataFrame
        One row per checkpoint, the case as handed in first: ``n_removed``; ``predicted``, what the metric was predicted to be;
        ``value``, what it is; ``change``, ``low`` and ``high``, its change with an interval; ``utility``, and
        ``utility_drop``; ``largest_group_share``, the largest share of any group removed; ``method``, how the records were removed.
        Where that is approximate the last row is of training again without them, ``predicted`` then what the approximation gave.
    random : DataFrame
        The band that random removals of equal size reach, indexed by ``n_removed``, as `band` gives it; empty if not asked for.
    case : Case
        The case without these records, really unlearned; where that is approximate, trained again.
    before : Case
        The case they were removed from, with the rows that were searched.
    goal : Goal
        What was asked for.
    expected : ExpectedGain or None
        The gain to expect of such a search on rows that were not searched; None until `with_expected` was asked for it.
    """

    metric: str
    sensitive_feature: str | tuple[str, ...]
    target: float
    utility: str
    forget: pd.Index[Any]
    reached_on_searched: bool
    reason: str
    path: pd.DataFrame
    random: pd.DataFrame
    case: Case
    before: Case = field(repr=False)
    goal: Goal = field(repr=False)
    expected: ExpectedGain | None = None

    def __len__(self) -> int:
        return len(self.forget)

    @property
    def reached(self) -> bool:
        """Whether the target is reached on the rows searched, and a gain is expected on others.

        That is once it is known, and beyond chance.
        """
        return self.reached_on_searched and (self.expected is None or not len(self.forget) or self.expected.helps)

    def with_expected(self, progress: Progress | None = None) -> Plan:
        """Return the plan with the gain to expect on other rows.

        Ten searches on halves of the rows.

        Parameters
        ----------
        progress : callable, optional
            Called with the share done and what is being done; may raise to cancel.
        """
        if not len(self.forget):
            return self
        before, goal = self.before, self.goal
        expected = expected_gain(
            before,
            goal.metric,
            goal.feature,
            lambda half: _found_on(half, goal),
            lambda ids: unlearn(before, ids, method=goal.method).case.scores(goal.on),
            on=goal.on,
            progress=progress,
        )
        return replace(self, expected=expected, reason=f"{self.reason} {expected.sentence}")

    def lines(self) -> list[str]:
        """Say how many records, whether the target is reached, at what price, and on which rows."""
        rows, among = count(len(self.before.rows(self.goal.on)), f"{self.goal.on} row"), where_said(self.before.where)
        target = f"{self.metric} of {feature_name(self.sensitive_feature)} at {self.target:.3g}"
        heading = f"Plan of {count(len(self), 'record')}: {target} is {'' if self.reached_on_searched else 'not '}reached on the {rows} searched{among}"
        last = self.path.iloc[-1]
        between = interval(last["low"], last["high"])
        change = [f"Change {signed(last['change'])} ({between})"] if len(self) and between else []
        return [heading, self.reason, *change]

    def to_frame(self) -> pd.DataFrame:
        """Return the checkpoints, one row each."""
        return self.path.copy()

    def plot(self) -> Figure:
        """Draw the plan on the fairness-accuracy plane.

        With the band of random removals where that was asked for.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from core.figures import plane

        first, metric = self.path.iloc[0], metric_of(self.metric)
        start = {"gap": first["value"], "utility": first["utility"], "removed": 0, "now": True}
        ends = dict.fromkeys(("gap_low", "gap_high", "utility_low", "utility_high"), float("nan"))
        return plane.path(
            pd.DataFrame([start | ends]).rename_axis("version"),
            metric.heading(pos_is_favorable=self.case.favorable_is_positive),
            words_of(self.utility),
            lower_is_fairer=metric.better == "lower",
            plan=self.path,
            band=self.random,
            share=self.utility != COST,
        )


@formerly("target", "utility", "max_utility_drop", "max_records")
def plan_removal(
    case: Case,
    metric: str = "equal_opportunity_difference",
    *,
    target: float = 0.05,
    utility: str = "accuracy",
    max_utility_drop: float = 0.01,
    max_records: int = 500,
    sensitive_feature: str | Sequence[str] | None = None,
    max_group_share: float = 1.0,
    cost: dict[str, float] | None = None,
    checkpoints: int = 10,
    n_random: int = 20,
    on: str = "explore",
    where: str | None = None,
    method: str = "auto",
    seed: int = 0,
    expected: bool = True,
    progress: Progress | None = None,
) -> Plan:
    """Find few records whose removal brings a metric to a target.

    Within a budget of utility and a cap on every group.

    Parameters
    ----------
    case : Case
    metric : str
        Any metric of the catalog that has a better end.
    target : float
        The value to reach: at most this for a metric that should be low, at least this for one that should be high.
    utility : str
        What the removal may cost: an overall metric such as "accuracy", "balanced_accuracy" or "average_precision"; or "cost", the mean
        cost of a decision.
    max_utility_drop : float
        How much worse the utility may become, in its own units.
    max_records : int
        Most records to remove.
    sensitive_feature : str or tuple of str, optional
        Whose groups are compared and capped; None is the first, a tuple an intersection.
    max_group_share : float
        Largest share of any group's training records to remove.
    cost : dict, optional
        For utility="cost": what one "false_positive" and one "false_negative" of pos_label cost.
    checkpoints : int
        In how many parts to remove; influence is taken anew after each. 1 ranks once and corrects what is still missing.
    n_random : int
        Random removals of equal sizes to set beside the plan, each really unlearned; 0 leaves them out.
    on : {"explore", "test"}
        Rows the metric and the utility are taken on; "confirm" is refused.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    method : str
        As for `unlearn`.
    seed : int
        Seed of the random removals.
    expected : bool
        Whether to find the gain to expect on other rows at once, by ten further searches; `Plan.with_expected` does it later.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    Plan
        Also where the target cannot be reached: `reached` is False, and `reason` says how far it got.

    Raises
    ------
    InputError
        If the metric is undefined on these rows, the cap leaves nobody to remove, or an option does not fit.
    NotSupportedError
        If no attribution method serves the model.

    Notes
    -----
    A heuristic: no smaller set is ruled out. What is searched on the explore rows is to be looked at on the confirm rows. Costs one
    influence and one removal per checkpoint, a few more where the utility's budget binds, and the random removals. Where removals are
    approximate, also one to three fits: what is reached is confirmed by training again, and where it does not hold the search goes on.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("sample_data/credit")
    >>> plan = core.plan_removal(case, target=0.05, max_utility_drop=0.02, n_random=0, expected=False)
    >>> plan.reached, bool(plan.path["value"].iloc[-1] <= 0.05)
    (True, True)
    """
    not_on_confirm(on)
    not_at_random(case)
    case = case.only(where)
    feature = case.sensitive_feature(sensitive_feature)
    _check(metric, target, max_utility_drop, max_records, max_group_share, checkpoints)
    check_count("n_random", n_random)
    groups = case.groups(feature, "train")
    goal = Goal(
        metric=metric,
        feature=feature,
        target=float(target),
        utility=Utility.of(case, utility, cost, on),
        max_utility_drop=max_utility_drop,
        max_records=min(max_records, case.n_retained - 1),
        group_codes=groups.codes,
        group_room=room_of(groups.codes, len(groups), case.retained, max_group_share),
        on=on,
        method=method,
        checkpoints=checkpoints,
    )
    start = prepare(case, method=method)
    value, own = goal.measure(start)
    if not np.isfinite([value, own]).all():
        raise InputError(
            f"The metric and the utility must be defined on the {on} rows{where_said(case.where)}. {metric!r} of {feature!r} is {_told(value)}, {utility!r} is "
            f"{_told(own)}; choose another."
        )
    first, second = ((0.0, 0.4), (0.4, 1.0)) if expected else ((0.0, 1.0), (0.0, 1.0))
    search = Search(goal, [PlanStage(start, (), value, own, value)], part_of(progress, *first))
    search.complete()
    random = pd.DataFrame()
    if n_random and len(search.here.forget):
        sizes = np.unique(np.ceil(np.linspace(0, len(search.here.forget), SIZES + 1)[1:]).astype(int)).tolist()
        draws = random_removals(
            start,
            sizes,
            metric=metric,
            sensitive_feature=feature,
            utility=utility,
            cost=cost,
            n_draws=n_random,
            on=on,
            method=method,
            seed=seed,
            progress=part_of(progress, *first),
        )
        random = band(draws)
    ids = case.record_ids[case.record_ids.get_indexer(pd.Index(list(search.here.forget)))]
    reached, without = search.ended == "reached", search.here.case.whole()
    found = Plan(
        metric, feature, goal.target, utility, ids, reached, _reason(search), _path(search, case), random, without, start, goal
    )  # fmt: skip
    return found.with_expected(part_of(progress, *second)) if expected else found


def _found_on(half: Case, goal: Goal) -> tuple[Any, ...] | None:
    """Return what a search on one half of the rows would remove; None for nothing."""
    value, own = goal.measure(half)
    if not np.isfinite([value, own]).all():
        return None
    search = Search(goal, [PlanStage(half, (), value, own, value)])
    search.complete()
    return search.here.forget or None


def _check(
    metric: str, target: float, max_drop: float, max_records: int, max_group_share: float, checkpoints: int
) -> None:
    found = metric_of(metric)
    if found.better == "neither":
        raise InputError(f"The metric must have a better end. {metric!r} has none; choose a gap, a ratio or a rate.")
    numbers = {"target": target, "max_utility_drop": max_drop, "max_group_share": max_group_share}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
            raise InputTypeError(f"`{name}` must be a finite number. Got {value!r}.")
    if max_drop < 0:
        raise InputError(f"`max_utility_drop` must not be negative. Got {max_drop!r}; 0 allows no loss.")
    if not 0 < max_group_share <= 1:
        raise InputError(f"`max_group_share` must be above 0 and at most 1. Got {max_group_share!r}.")
    for name, number in (("max_records", max_records), ("checkpoints", checkpoints)):
        whole_number(name, number)


def _told(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "undefined"


def _path(search: Search, case: Case) -> pd.DataFrame:
    goal, first = search.goal, search.path[0]
    sizes = np.maximum(np.bincount(goal.group_codes[case.retained], minlength=len(goal.group_room)), 1)
    compared = metric_of(goal.metric).compares_groups
    rows = []
    for version in search.path:
        features = [goal.feature] if compared else None
        shift = compare(case, version.case, on=goal.on, metric=[goal.metric], sensitive_feature=features).iloc[0]
        gone = np.bincount(
            goal.group_codes[case.record_ids.get_indexer(pd.Index(list(version.forget)))], minlength=len(sizes)
        )
        rows.append(
            {
                "n_removed": len(version.forget),
                "predicted": version.predicted,
                "value": version.value,
                "change": shift["change"],
                "low": shift["low"],
                "high": shift["high"],
                "utility": version.utility,
                "utility_drop": goal.utility.drop(first.utility, version.utility),
                "largest_group_share": float((gone / sizes).max()),
                "method": version.method,
            }
        )
    return pd.DataFrame(rows)


def _reason(search: Search) -> str:
    goal, first, last = search.goal, search.path[0], search.here
    metric, utility = metric_of(goal.metric), goal.utility
    if not last.forget and search.ended == "reached":
        return f"{metric.label} is {first.value:.3g} already, so nothing needs removing to reach {goal.target:.3g}."
    again = _trained_again(search)
    done = f"{metric.words} goes from {first.value:.3f} to {last.value:.3f} by removing {records_in_words(len(last.forget))}"
    price = f"{utility.words} changes by {last.utility - first.utility:+.3g}"
    if search.ended == "reached":
        return f"{done[:1].upper()}{done[1:]}; {price}.{again}"
    stopped = {
        "costly": f"training again costs more than {goal.max_utility_drop:g} of {utility.words}",
        "utility": f"more would cost more than {goal.max_utility_drop:g} of {utility.words}",
        "records": f"no more than {records_in_words(goal.max_records)} may go",
        "caps": "every group with a helpful record is at its cap",
        "nobody": "no other record's removal is predicted to help",
        "stalled": "further removals no longer bring it closer",
        "unconfirmed": "no more sets were tried, as training again did not bear out what approximate removals promised",
    }[search.ended]
    if search.ended == "costly" and last.forget:
        return f"The target {goal.target:.3g} is not reached within {goal.max_utility_drop:g} of {utility.words}: {done}; {price}.{again}"
    if not last.forget:
        return f"The target {goal.target:.3g} is not reached: {metric.words} stays at {first.value:.3g}, as no removal tried brings it closer; {stopped}."
    return f"The target {goal.target:.3g} is not reached: {done}, then {stopped}; {price}.{again}"


def _trained_again(search: Search) -> str:
    """Return a note where only the last figures are of training again.

    The ones before are of an approximation.
    """
    if len(search.path) < 2 or search.path[-2].exact:
        return ""
    before = search.path[-2]
    return f" These figures are of training again without them; {before.method}, by which they were found, is approximate and gave {before.value:.3g}."
