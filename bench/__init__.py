"""How activations are compared: cases, recipes, training, records, verdicts and rankings.

Run it with `pytest bench`; see `pytest bench --help`, group actbench.
"""
