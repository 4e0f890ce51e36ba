"""A model trained on the uploaded table, where somebody has none."""

from __future__ import annotations

import streamlit as st

from core.files.models.train import MODELS
from dashboard import session


def wanted() -> bool:
    """Ask whether to train a model, where none is uploaded."""
    return st.toggle(
        "Train one for me",
        key=session.Key.TRAIN,
        help="Trains a model on the training table once its columns are settled below. The report page gives it as a skops file.",
    )


def kind() -> str:
    """Ask which kind of model to train."""
    chosen: str = st.radio(
        "Model to train",
        list(MODELS),
        format_func=lambda one: MODELS[one].capitalize(),
        key=session.Key.TRAIN_KIND,
        horizontal=True,
        help="Missing numbers become the median, text is one-hot encoded, numbers are scaled for logistic regression.",
    )
    return chosen
