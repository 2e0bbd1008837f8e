"""How right torch, torch-activation, timm and transformers are, on the grid that ours are held to, and ours beside.

    pip install actbench[peers]
    pytest bench/timing/test_peers.py -n0 --peers
    pytest bench/timing/test_peers.py -n0 --peers -k "timm and float16"

Values and gradients are compared with the source's formula at 40 digits (`activations.contract`), function by function
with the same constants. The table is printed, and written to peers.md in the results folder. What a peer or torch gets
wrong fails nothing here; what is ours and wrong by more than a hundred units in the last place does.
"""

import pytest

from bench.timing.context import TimingContext
from bench.timing.peers.correctness import PeerCheck, count_errors, own_mistakes, peer_checks
from bench.timing.peers.counterparts import PEERS


@pytest.mark.peers
@pytest.mark.parametrize("check", peer_checks(), ids=lambda check: check.id)
def test_peer(check: PeerCheck, timing: TimingContext) -> None:
    if not PEERS[check.peer].installed:
        pytest.skip(f"{check.peer} is not installed; pip install 'actbench[peers]'")
    found = count_errors(check)
    timing.peer_errors.append(found)
    assert not own_mistakes(found)
