"""Decision trees, random forests and extra-trees: exact removal with the recorded randomness."""
