"""How the values of a column become groups: bins, ages, spellings."""
