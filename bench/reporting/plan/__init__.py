"""What a selection would cost, before anything is trained.

    pytest bench --plan --scale paper
    pytest bench --plan --scale paper -k "complex or rates" --on "NVIDIA H100"

devices       the data sheets of some
cost          what a step computes, moves and keeps, counted on fake tensors; and how long one takes here
estimate      hours and bytes of a case
seeds         how many runs a difference takes, by the spread that was recorded
report        prints it all, and writes plan.csv

Importing this package does not load torch.
"""
