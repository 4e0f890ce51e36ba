"""Records worth looking at: by decisions, labels, groups and reasons."""
