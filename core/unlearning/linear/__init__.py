"""The common ground of linear models: their objective, its curvature and gradient test."""
