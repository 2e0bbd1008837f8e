"""Session: what was asked for, which cases that selects, and how each is trained and judged."""
