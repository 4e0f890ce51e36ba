"""Several files to one model: a classifier behind what prepares its rows."""
