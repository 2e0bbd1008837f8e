"""How activations are compared, in rooms that stand in the way of data: a room imports only from those before it.

Run it with `pytest bench`; see `pytest bench --help`, group actbench.
"""

ROOMS = (
    "stats",
    "cases",
    "experiments",
    "data",
    "records",
    "display",
    "training",
    "regression",
    "engines",
    "session",
    "ranking",
    "timing",
    "reporting",
    "checks",
    "plugin",
)
