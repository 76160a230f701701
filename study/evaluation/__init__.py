"""A finished model's answers to the test split and to probes, measured: the rows of the tables."""
