"""Stats: what a few runs can say. Numbers in, numbers out: nothing of the project is imported here."""
