"""Find: the training records behind the gap."""

import streamlit as st

st.write("later")
