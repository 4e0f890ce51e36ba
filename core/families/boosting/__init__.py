"""Gradient boosting of scikit-learn: leaves are refitted, and influence follows the stages."""
