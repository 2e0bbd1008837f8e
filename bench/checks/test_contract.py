"""The contract: what every activation keeps, from units in the last place to pickling; see `activations.contract`.

    pytest bench/checks/test_contract.py
    pytest bench -k "contract and mish"
    pytest bench --activation my_file.py:my_act -k "contract and my_act"

One item for each activation, one subtest for each check. A check that has nothing to say about an activation is
skipped, one that the record lists among its exceptions must fail; `-v -rsx` shows both with their reasons.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import activations


@dataclass(frozen=True)
class Subject:
    """An activation that is held to the contract."""

    activation: str

    @property
    def id(self) -> str:
        return f"contract-{self.activation}"


@pytest.fixture
def quiet() -> Iterator[None]:
    """What torch logs of compiling and of errors fills pages, which pytest would print with every failure."""
    trace, before = logging.getLogger("torch.__trace"), logging.root.manager.disable
    trace.addFilter(_nothing)  # it logs where logging is disabled, too
    logging.disable()
    yield
    logging.disable(before)
    trace.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


@pytest.mark.parametrize("subject", [Subject(name) for name in activations.names()], ids=lambda subject: subject.id)
def test_contract(subject: Subject, subtests: pytest.Subtests, quiet: None) -> None:
    from activations import contract  # torch comes with it, and collecting must stay fast

    entry = activations.info(subject.activation)
    silent = 0
    for check in contract.CHECKS:
        with subtests.test(check):
            try:
                contract.hold(check, entry)
            except contract.NotApplicable as reason:
                silent += 1
                pytest.skip(f"{check}: {reason}")
            except contract.Excepted as reason:
                pytest.xfail(str(reason))
            except AssertionError as error:  # from None: pytest would print the errors behind it
                raise pytest.fail.Exception(str(error), pytrace=False) from None
    assert silent < len(contract.CHECKS), f"no check of the contract has anything to say about {entry.name}"
