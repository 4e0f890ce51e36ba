"""One room per family of models: how it forgets, what its records do, and whether rows are those it was trained on."""
