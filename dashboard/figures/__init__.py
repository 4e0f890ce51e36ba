"""Results to plotly figures; nothing here knows of streamlit."""
