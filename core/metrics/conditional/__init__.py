"""Groups compared within the strata of control features, and with these mixed alike."""
