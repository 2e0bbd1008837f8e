"""A/B: two commits timed in turn on one machine, and one of them against itself. `python -m bench ab BASE HEAD`.

items    what is timed: kernels, and epochs of the training loop
arm      a process that times what it is told with the code of its commit
arms     the three of them: base, head, and base again
verdict  what their ratios say, by the noise that base shows against itself

Importing them does not load torch.
"""
