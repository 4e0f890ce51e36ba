"""Boosters of XGBoost, LightGBM and CatBoost in files.

Each file is read as data first, by code of our own; what was found sound is written anew and given to the library's own loader.
"""
