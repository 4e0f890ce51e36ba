"""Arrays in, arrays out: the numerical kernels, free of tables and estimators."""
