"""Kernels: what an activation costs forward and backward, in multiples of relu and of a copy.

kernel        what is timed: one activation at one dtype, size and mode
allocator     an allocator that keeps its memory, lest paging be timed
measurement   one kernel against relu and a copy, in turn in one process
recorded      ratios recorded on a machine, one CSV row each
verdict       judges a measurement against its row; what a session found of a kernel
timings       what sessions found, kept in the results folder
table         the same for the terminal

Importing them does not load torch.
"""
