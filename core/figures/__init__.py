"""Plotly figures of results, for notebooks and the dashboard."""
