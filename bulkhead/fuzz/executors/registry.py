"""Executors by name; a backend is imported only where it is wanted."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bulkhead.fuzz.executors.base import Executor, ExecutorError

if TYPE_CHECKING:
    from bulkhead.chain.anvil import Anvil
    from bulkhead.fuzz.target import Target

_CLASSES = {
    "anvil-sim": ("anvil_sim", "AnvilSimulation"),
    "evm": ("evm", "InProcessEvm"),
    "ape": ("ape", "ApeExecutor"),
}
EXECUTORS = tuple(_CLASSES)
"""Names of all executors; the first is the default."""


def make_executor(name: str, node: Anvil, target: Target) -> Executor:
    """Return a new executor of a name.

    Args:
        name: one of ``EXECUTORS``.
        node: where the target is deployed.
        target: what is deployed there.

    Raises:
        ExecutorError: there is none of that name, or it does not work here.
    """
    if name not in _CLASSES:
        raise ExecutorError(f"there is no executor {name!r}: choose from {', '.join(EXECUTORS)}")
    module, kind = _CLASSES[name]
    found = getattr(import_module(f"bulkhead.fuzz.executors.{module}"), kind)
    executor: Executor = found(node, target)
    return executor
