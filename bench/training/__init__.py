"""Training: one run, from the network of a case to its record."""
