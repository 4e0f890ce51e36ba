"""The calls that choose a family: forget, edit, converge, rank records, check where a model comes from."""
