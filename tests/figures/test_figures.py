"""Charts hold the numbers they were given, say what they show, and let no markup through."""

from __future__ import annotations

import json

import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st

import core
from core.figures import gaps, groups, influence, look, plane, scores, thresholds
from core.metrics.curves import calibration_curves, roc_curves, threshold_sweep
from dashboard.components.tables import worded

EVIL = "<a href='http://127.0.0.1:9'>x</a>"


def described(figure: go.Figure) -> str:
    """The chart's title, after checking what every chart must have."""
    axes = [figure.layout.xaxis.title.text, figure.layout.yaxis.title.text]
    assert any(axes), "a chart needs the titles of its axes"
    assert figure.layout.meta["title"]
    hover = [trace.hovertemplate or trace.hoverinfo for trace in figure.data]
    assert all(hover), "every trace says something on hover, or says that it does not"
    return str(figure.layout.meta["title"])


def test_sizes_name_the_smallest_group() -> None:
    table = pd.DataFrame({"train": [90, 10], "test": [45, 5]}, index=["m", EVIL])
    figure = groups.sizes(table, "sex")
    assert described(figure) == f"{EVIL} is the smallest group by sex: 5 of 50 test rows, 10.0%"
    assert "<a" not in json.dumps(figure.to_plotly_json(), default=list).replace(EVIL, "")
    assert "<a" not in figure.layout.title.text
    assert list(figure.data[1].x) == [45, 5]


def test_rates_show_their_intervals(small_case: core.Case) -> None:
    table = core.audit(small_case, "true_positive_rate", sensitive_feature=["sex"], on="explore").by_group.droplevel(0)
    figure = groups.rates(table, "true_positive_rate", "Served", "P(D | Y, g)")
    assert described(figure).startswith("Served: ")
    for trace, (_, row) in zip(figure.data, table.iterrows(), strict=True):
        assert trace.x[0] == row["true_positive_rate"]
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(row["true_positive_rate_high"])
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(row["true_positive_rate_low"])


def test_groups_too_small_are_grey(small_case: core.Case) -> None:
    table = core.audit(small_case, "true_positive_rate", sensitive_feature=["sex"], on="explore").by_group.droplevel(0)
    figure = groups.rates(table.assign(true_positive_rate_n_needed=[10**6, 1]), "true_positive_rate", "Served", "P")
    assert figure.data[0].marker.color == look.GRAY
    assert figure.data[1].marker.color != look.GRAY
    assert "insufficient" in figure.data[0].customdata[0][3]
    assert described(figure).endswith("; groups with too few rows are grey")


def test_gaps_stand_against_their_thresholds() -> None:
    table = pd.DataFrame(
        {
            "value": [0.1, 0.02],
            "low": [0.06, -0.01],
            "high": [0.14, 0.04],
            "threshold": [0.05, 0.05],
            "verdict": ["outside", "inside"],
            "formula": ["max - min", "max - min"],
            "n": [100, 100],
        },
        index=["Served", "Precision"],
    )
    figure = gaps.against_thresholds(table, "differences", "difference (0 to 1)")
    assert described(figure) == "1 of 2 differences lies beyond its threshold with its whole interval"
    assert figure.data[0].marker.symbol[0] != figure.data[0].marker.symbol[1], "colour is not the only sign"
    assert list(figure.data[1].x) == [0.05, 0.05]
    legend = {trace.name: trace.marker.symbol for trace in figure.data if trace.showlegend is not False}
    assert legend["outside"] == figure.data[0].marker.symbol[0]
    assert legend["inside or open"] == figure.data[0].marker.symbol[1]


def test_curves_have_a_line_per_group(small_case: core.Case) -> None:
    calibration = scores.calibration(calibration_curves(small_case, "sex"), "Finding")
    roc = scores.roc(roc_curves(small_case, "sex"), pd.Series({"f": 0.8, "m": 0.9}), "Finding")
    for figure in (calibration, roc):
        assert described(figure) == "Finding"
        lines = [trace for trace in figure.data if trace.hoverinfo != "skip"]
        assert len(lines) == 2
        assert lines[0].line.dash != lines[1].line.dash, "colour is not the only sign"


def test_the_sweep_marks_the_threshold_in_force(small_case: core.Case) -> None:
    table = threshold_sweep(small_case, "equal_opportunity_difference", "sex")
    figure = thresholds.sweep(table, 0.5, "Gap", "score (0 to 1)")
    assert "the one in force is 0.50" in described(figure)
    assert {shape.x0 for shape in figure.layout.shapes} == {0.5}


def scattered() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gap": [-0.2, 0.1, 0.3, 0.0],
            "loss": [0.1, 0.0, -0.1, 0.0],
            "group": pd.Categorical(["f", "m", "m", "f"]),
            "label": [0, 1, 1, EVIL],
            "removed": [False, False, False, True],
        },
        index=["a", "b", "c", "d"],
    )


def test_the_scatter_highlights_the_selection_and_greys_what_is_removed() -> None:
    table = scattered()
    figure = influence.scatter(table, table, pd.Index(["c"]), "Gap", "Log loss")
    assert described(figure) == "1 of 3 records would each narrow the gap if removed alone"
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["removed"].ids) == ["d"]
    assert list(traces["m"].selectedpoints) == [1]
    assert list(traces["f"].selectedpoints) == []
    assert traces["f"].marker.symbol != traces["m"].marker.symbol
    assert "<a" not in str(traces["removed"].customdata)
    ratio = influence.scatter(table, table, pd.Index([]), "Ratio", "Log loss", lower_is_fairer=False)
    assert described(ratio).startswith("2 of 3 records")


def test_the_plane_is_a_path_with_now_marked() -> None:
    table = pd.DataFrame(
        {
            "gap": [0.1, 0.05],
            "gap_low": [0.08, 0.03],
            "gap_high": [0.12, 0.07],
            "utility": [0.8, 0.79],
            "utility_low": [0.78, 0.77],
            "utility_high": [0.82, 0.81],
            "removed": [0, 30],
            "now": [False, True],
        },
        index=pd.Index([0, 1], name="version"),
    )
    figure = plane.path(table, "Gap", "accuracy")
    assert described(figure) == "With 30 records removed the gap went from 0.100 to 0.050, accuracy from 80.0% to 79.0%"
    here = plane.path(table, "Gap", "accuracy", foreign=True)
    assert described(here).startswith("Trained on these rows, 30 records removed: the gap went from 0.100")
    again = plane.path(table.assign(removed=0), "Gap", "accuracy")
    assert described(again).startswith("Trained again, nothing removed: the gap went from 0.100")
    assert list(figure.data[0].x) == [0.1, 0.05]
    assert {trace.name for trace in figure.data if trace.name} == {"earlier or undone", "now"}
    alone = plane.path(table.iloc[:1].assign(now=True), "Gap", "accuracy")
    assert described(alone) == "Nothing removed: gap 0.100, accuracy 80.0%"
    stayed = pd.concat([table.iloc[[0, 0]], table.iloc[[1]]]).set_axis(pd.Index([0, 1, 2], name="version"))
    labels = {trace.name: list(trace.text) for trace in plane.path(stayed, "Gap", "accuracy").data if trace.text}
    assert labels == {"earlier or undone": ["0, 1", ""], "now": ["2"]}
    stayed["now"] = [False, True, False]
    labels = {trace.name: list(trace.text) for trace in plane.path(stayed, "Gap", "accuracy").data if trace.text}
    assert labels == {"earlier or undone": ["", "2"], "now": ["0, 1"]}


def test_the_plane_joins_every_version_with_the_one_it_was_made_from() -> None:
    values = {"gap": [0.1, 0.05, 0.02], "utility": [0.8, 0.79, 0.81], "removed": [0, 30, 9]}
    ends = {f"{name}_{end}": values[name] for name in ("gap", "utility") for end in ("low", "high")}
    table = pd.DataFrame({**values, **ends, "parent": [None, 0, 0], "now": [False, False, True]})
    figure = plane.path(table.rename_axis("version"), "Gap", "accuracy")
    assert [None if x != x else float(x) for x in figure.data[0].x] == [0.1, 0.05, None, 0.1, 0.02, None]
    versions = [trace for trace in figure.data if trace.meta == plane.VERSIONS]
    assert [int(point[-1]) for trace in versions for point in trace.customdata] == [0, 1, 2]


def test_the_plane_holds_a_plan_against_chance_and_mitigators() -> None:
    versions = pd.DataFrame(
        {name: [value] for name, value in {"gap": 0.1, "utility": 0.8, "removed": 0, "now": True}.items()}
        | {f"{name}_{end}": [value] for name, value in (("gap", 0.1), ("utility", 0.8)) for end in ("low", "high")},
        index=pd.Index([0], name="version"),
    )
    plan = pd.DataFrame({"n_removed": [0, 20], "predicted": [0.1, 0.04], "value": [0.1, 0.05], "utility": [0.8, 0.79]})
    band = pd.DataFrame(
        {"metric_low": [0.09], "metric": [0.1], "metric_high": [0.11], "utility_low": [0.78], "utility": [0.8]}
        | {"utility_high": [0.81], "n_draws": [20]},
        index=pd.Index([20], name="n_removed"),
    )
    row = {"method": "grid search", "fairness": 0.02, "fairness_change": -0.08, "fairness_low": -0.09}
    row |= {"fairness_high": -0.06, "utility": 0.78, "utility_change": -0.02, "utility_low": -0.03}
    row |= {"utility_high": -0.01, "reversed": False, "frontier": True, "chosen": True}
    row |= {"fairness_value_low": -0.01, "fairness_value_high": 0.05}
    row |= {"utility_value_low": 0.75, "utility_value_high": 0.81}
    others = [{**row, "frontier": False, "chosen": False, "fairness": 0.9}, {**row, "chosen": False, "reversed": True}]
    assert described(plane.path(versions, "Gap", "accuracy", plan=plan, band=band, planned=False)).startswith(
        "Nothing removed: gap 0.100"
    ), "the plan starts from an earlier version, whatever its gap"
    figure = plane.path(versions, "Gap", "accuracy", plan=plan, band=band, mitigators=pd.DataFrame([row, *others]))
    assert described(figure) == (
        "The plan's 20 records take the gap from 0.100 to 0.050, accuracy from 80.0% to 79.0%; as many at random leave it at 0.090 to 0.110"
    )
    traces = {trace.name: trace for trace in figure.data if trace.name and trace.showlegend is not False}
    assert list(traces["the plan"].x) == [0.1, 0.05]
    chosen = traces["grid search"]
    assert chosen.x[0] + chosen.error_x.array[0] == pytest.approx(0.05), "the interval of the value, not of its change"
    assert chosen.x[0] - chosen.error_x.arrayminus[0] == pytest.approx(-0.01)
    assert chosen.y[0] + chosen.error_y.array[0] == pytest.approx(0.81)
    assert 0.9 not in [x for trace in figure.data for x in trace.x], "models off the frontier are in the table only"
    field = next(trace for trace in figure.data if trace.fill == "toself")
    assert (min(field.x), max(field.x), min(field.y), max(field.y)) == (0.09, 0.11, 0.78, 0.81)
    cost = plane.path(versions, "Gap", "cost per record", share=False)
    assert "lower is better" in cost.layout.yaxis.title.text
    assert described(cost) == "Nothing removed: gap 0.100, cost per record 0.800"


def test_tables_write_shares_alike_and_no_sign_before_nothing() -> None:
    column = st.column_config.NumberColumn
    table = pd.DataFrame({"change": [0.0002, -0.0002, 0.1], "share": [0.625, 4 / 7, None], "n": [1, 2, 3]})
    settings = {"change": column(format="%+.3f"), "share": column(format="percent"), "n": column(format="localized")}
    shown = worded(table, settings)
    cells = shown["data"]._compute()._translate(False, False)["body"]
    assert [[cell["display_value"] for cell in row if cell["type"] == "td"][:2] for row in cells] == [
        ["0.000", "62.5%"],
        ["0.000", "57.1%"],
        ["+0.100", ""],
    ]
    assert shown["column_config"]["n"]["type_config"]["format"] == "localized"
