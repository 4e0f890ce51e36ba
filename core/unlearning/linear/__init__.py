"""What linear models share: their objective, its curvature and gradient test."""
