"""The fastest executor: revm inside this process, loaded once with what was deployed on the node.

What differs from a chain: gas (storage stays warm from one transaction to the next), what
``BLOCKHASH``, ``PREVRANDAO`` and ``GASLIMIT`` say, and that a contract counts as created in this
very transaction until the run ends that created it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.rpc import Log
from bulkhead.fuzz.executors.base import (
    CALL_GAS,
    REVERTED,
    VIEW_GAS,
    VIEWER,
    Executor,
    ExecutorError,
    Outcome,
    Transaction,
)
from bulkhead.fuzz.target import Target

if TYPE_CHECKING:
    from pyrevm import EVM, AccountInfo

_RULES = "CANCUN"
_NOT_DEPLOYABLE = 0xEF
_DEPLOYER = "0x000000000000000000000000000000000000de91"


class InProcessEvm(Executor):
    """Executes with pyrevm, from a copy of the node's state; the node is asked only once.

    Raises:
        ExecutorError: pyrevm is not installed.
    """

    name: ClassVar[str] = "evm"

    def __init__(self, node: Anvil, target: Target) -> None:
        super().__init__(node, target)
        self._blocks = _pyrevm().BlockEnv
        self._number = node.rpc.block_number()
        self._evm = _copy_of(node)

    def run(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Execute one after the other, and undo all of it."""
        with self._undone():
            return [
                self._step(self._number + i, transaction)
                for i, transaction in enumerate(transactions, 1)
            ]

    def _step(self, number: int, t: Transaction) -> Outcome:
        evm = self._evm
        evm.set_block_env(self._blocks(number=number, timestamp=t.timestamp))
        accepted, data = self._call(t.sender, t.to, t.data, CALL_GAS)
        # Of a refused call the result is missing or says nothing more.
        result = evm.result if accepted else None
        logs = tuple(map(_log, count(), result.logs)) if result else ()
        return Outcome(accepted, data, logs, None, self._look(t))

    def _look(self, t: Transaction) -> tuple[bytes, ...]:
        """Return what the views return; whatever they write is undone."""
        found = []
        with self._undone():
            for to, data in self.looks_after(t):
                returned, output = self._call(VIEWER, to, data, VIEW_GAS)
                found.append(output if returned else REVERTED + output)
        return tuple(found)

    def _call(self, sender: str, to: str, data: bytes, gas: int) -> tuple[bool, bytes]:
        """Return whether a call was accepted, and what it returned or reverted with."""
        try:
            return True, self._evm.message_call(sender, to, data, gas=gas)
        except RuntimeError as error:
            return False, _reverted_with(str(error))
        finally:
            # To pyrevm all calls are one transaction.
            self._evm.reset_transient_storage()

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Undo what is done inside. Only the innermost may end: pyrevm would wipe the rest."""
        start = self._evm.snapshot()
        try:
            yield
        finally:
            self._evm.revert(start)


def _reverted_with(text: str) -> bytes:
    """Return the revert data, which pyrevm tells in words alone; nothing where the EVM halted.

    Raises:
        ExecutorError: the call was not made at all.
    """
    if text.startswith("Revert"):
        return bytes.fromhex(text[text.index("output: 0x") + 10 :].rstrip(" }"))
    if text.startswith("Halt"):
        return b""
    raise ExecutorError(f"the in-process EVM does not take this: {text}")


def _pyrevm() -> Any:
    try:
        import pyrevm
    except ImportError:
        raise ExecutorError(
            "the executor evm needs pyrevm, which is not installed (there is no wheel of it for "
            "Python 3.13 and later): use anvil-sim or ape"
        ) from None
    return pyrevm


def _copy_of(node: Anvil) -> EVM:
    """Return an EVM in the node's latest state."""
    pyrevm = _pyrevm()
    cfg = pyrevm.CfgEnv(chain_id=node.rpc.chain_id())
    evm: EVM = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id=_RULES)
    dump = node.rpc.request("anvil_dumpState")
    state = json.loads(gzip.decompress(bytes.fromhex(dump[2:])))
    for address, account in state["accounts"].items():
        evm.insert_account_info(address, _account(account))
        for slot, word in account["storage"].items():
            evm.insert_account_storage(address, int(slot, 16), int(word, 16))
        evm.set_balance(address, int(account["balance"], 16))
    return evm


def _account(account: Mapping[str, Any]) -> AccountInfo:
    """Return a dumped account but for its balance and storage.

    Code that an EVM deploys itself is analysed once; given as it is, at every call: 5 times slower.
    """
    pyrevm = _pyrevm()
    code = bytes.fromhex(account["code"][2:])
    if account["nonce"] == 1 and code and code[0] != _NOT_DEPLOYABLE:
        return _deployed(code)
    info: AccountInfo = pyrevm.AccountInfo(nonce=account["nonce"], code=code or None)
    return info


def _deployed(code: bytes) -> AccountInfo:
    """Return the account of a contract that a throw-away EVM has just deployed."""
    pyrevm = _pyrevm()
    cfg = pyrevm.CfgEnv(limit_contract_code_size=2**24)
    factory: EVM = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id=_RULES)
    # PUSH3 length, DUP1, PUSH1 11, PUSH0, CODECOPY, PUSH0, RETURN: return all that follows.
    creation = bytes.fromhex(f"62{len(code):06x}80600b5f395ff3") + code
    return factory.basic(factory.deploy(_DEPLOYER, creation))


def _log(index: int, log: Any) -> Log:
    topics, data = log.data
    return Log(_lower(log.address), tuple(topics), data, index)


@cache
def _lower(address: str) -> str:
    return address.lower()
