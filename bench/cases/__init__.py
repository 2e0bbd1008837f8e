"""Cases: what is compared, and what fixes the numbers of a run."""
