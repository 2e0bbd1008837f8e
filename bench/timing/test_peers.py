"""How right torch, torch-activation, timm and transformers are, on the grid that ours are held to, and ours beside.

    pip install actbench[peers]
    pytest bench/timing/test_peers.py -n0 --peers
    pytest bench/timing/test_peers.py -n0 --peers -k "timm and float16"

Values and gradients are compared with the source's formula at 40 digits (`activations.contract`), function by function
with the same constants. The table is printed, and written to peers.md in the results folder. What a peer or torch gets
wrong fails nothing here; what is ours and wrong by more than a hundred units in the last place does.
"""

import pytest

from bench.timing import kernels
from bench.timing.context import TimingContext


@pytest.mark.peers
@pytest.mark.parametrize("judged", kernels.judged(), ids=lambda judged: judged.id)
def test_peer(judged: kernels.Judged, timing: TimingContext) -> None:
    if not kernels.PEERS[judged.peer].installed:
        pytest.skip(f"{judged.peer} is not installed; pip install 'actbench[peers]'")
    counted = kernels.count(judged)
    timing.counted.append(counted)
    assert not kernels.own_mistakes(counted)
