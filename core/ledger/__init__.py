"""The ledger: what was done to a model, by whom and why, so that anyone can check it."""
