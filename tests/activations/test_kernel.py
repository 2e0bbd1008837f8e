"""What a formula knows of the kernel that it is compiled into."""

from __future__ import annotations

import torch
from torch import Tensor

from activations._kernel import in_kernel, once


def test_what_a_row_shares_is_worked_out_once_a_row() -> None:
    from torch._inductor import utils

    def normed(x: Tensor) -> Tensor:
        return x * once(torch.rsqrt(x.square().mean(-1, keepdim=True)))

    x = torch.randn(8, 64)
    with in_kernel():
        found, (code,) = utils.run_and_get_code(torch.compile(normed, fullgraph=True), x)
    torch.testing.assert_close(found, normed(x))
    loop_that_stores = code[code.rindex("for(") :]
    assert ".store(" in loop_that_stores
    assert "sqrt(" in code
    assert "sqrt(" not in loop_that_stores
