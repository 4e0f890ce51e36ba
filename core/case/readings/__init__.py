"""How the cells of each column are read: as the model learned them."""
