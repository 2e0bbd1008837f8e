"""Peers: torch's own activations, torch-activation, timm and transformers, beside ours (`pip install actbench[peers]`).

counterparts  who has which of our activations, name by name
comparison    how fast they are, in turn in one process, beside the floor
floor         the least that a kernel of ours can take
correctness   how right they are, on the grid that ours are held to
"""
