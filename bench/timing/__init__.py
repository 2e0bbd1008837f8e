"""Timing: what a call, a kernel and an epoch cost.

context       what the timing tests are handed
interleave    times calls in turn, so that a machine's drift cancels out of their ratios
kernels       an activation, forward and backward: test_kernels.py
peers         other packages' activations beside ours: test_kernels.py, test_peers.py
loops         the training loop beside those of others: test_trainer.py
"""
