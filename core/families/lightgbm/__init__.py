"""LightGBM's classifiers; the family joins once their library is imported."""
