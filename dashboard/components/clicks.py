"""Clicks on points of a chart, which an outlining tool keeps from Streamlit."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_JS = """
const views = new WeakMap();
export default ({ data, parentElement, setTriggerValue }) => {
  const view = views.get(parentElement) ?? { bound: new WeakSet() };
  views.set(parentElement, view);
  view.box = data.box;
  view.say = setTriggerValue;
  if (view.timer) return;
  const bind = () => {
    const chart = document.querySelector(`.st-key-${CSS.escape(view.box)} .js-plotly-plot`);
    if (!chart || !chart.on || view.bound.has(chart)) return;
    view.bound.add(chart);
    chart.on("plotly_click", (event) => {
      const point = event?.points?.[0];
      if (point) view.say("clicked", { curve: point.curveNumber, point: point.pointNumber });
    });
  };
  view.timer = setInterval(bind, 300);
  bind();
  return () => { clearInterval(view.timer); view.timer = null; };
};
"""
_clicks = st.components.v2.component("redress_clicks", js=_JS)


def listen(box: str, key: str, opened: Callable[[int, int], None]) -> None:
    """Listen to clicks on the points of a chart.

    Parameters
    ----------
    box : str
        Key of the container that holds the chart.
    key : str
        Of the listener.
    opened : callable
        Called with the number of the trace and of the point in it.
    """

    def said() -> None:
        found = (st.session_state.get(key) or {}).get("clicked")
        if found:
            opened(int(found["curve"]), int(found["point"]))

    _clicks(key=key, data={"box": box}, on_clicked_change=said)
