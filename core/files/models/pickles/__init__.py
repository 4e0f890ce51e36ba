"""Pickle and joblib files, read as data.

Nothing they name is imported, nothing they ask for is called.
"""
