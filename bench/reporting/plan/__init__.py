"""What a selection would cost, before anything is trained.

    pytest bench --plan --scale paper
    pytest bench --plan --scale paper -k "complex or rates" --on "NVIDIA H100"

`devices` holds the figures of devices, `cost` counts a step on fake tensors, `estimate` makes hours and bytes of the
two, `seeds` says how many runs a difference takes, `rates` runs the schedules, and `report` prints it all. Importing
this package does not load torch.
"""
