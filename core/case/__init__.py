"""A model, the tables it was trained and tested on, and what their columns are for."""
