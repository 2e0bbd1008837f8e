"""Timing: what a call, a kernel and an epoch cost."""
