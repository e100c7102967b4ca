"""A chain inside this process, for tests of single contracts: exact times, many calls.

It is revm under the name of pyrevm, as in the campaign's quickest executor. What differs from a
node: gas (storage stays warm from one call to the next), and all calls count as one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.contract import ContractReverted, Event
from bulkhead.chain.interface import interface_of
from bulkhead.chain.rpc import Log

if TYPE_CHECKING:
    from pyrevm import EVM

_RULES = "CANCUN"
_GAS = 30_000_000
_VIEWER = "0x00000000000000000000000000000000000ef1e3"


class InProcessChain:
    """Accounts need no funds, blocks no miner: every call happens at ``now``, Unix seconds.

    Raises:
        ImportError: pyrevm is not installed; there is no wheel of it for Python 3.13 and later.
    """

    def __init__(self, now: int, artifacts: Artifacts | None = None) -> None:
        import pyrevm

        self._artifacts = load_artifacts(check=False) if artifacts is None else artifacts
        self._block_env = pyrevm.BlockEnv
        cfg = pyrevm.CfgEnv(chain_id=31_337, limit_contract_code_size=2**24)
        self._evm: EVM = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id=_RULES)
        self._now = 0
        self.now = now

    @property
    def now(self) -> int:
        """Block time, Unix seconds."""
        return self._now

    @now.setter
    def now(self, value: int) -> None:
        if value != self._now:
            self._now = value
            self._evm.set_block_env(self._block_env(number=1, timestamp=value))

    def deploy(self, name: str, *args: Any, sender: str) -> Deployed:
        """Deploy a contract of the project by its name.

        Raises:
            ContractReverted: its constructor did.
        """
        artifact = self._artifacts[name]
        code = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        try:
            address = self._evm.deploy(sender, code)
        except RuntimeError as error:
            raise ContractReverted(name, _reverted_with(error)) from error
        return Deployed(self, address.lower(), name, artifact.abi)

    def deploy_code(self, code: bytes, sender: str) -> str:
        """Put code that no compiler wrote at an address, which is returned."""
        # PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: return all that follows.
        creation = bytes.fromhex(f"61{len(code):04x}80600a5f395ff3") + code
        return str(self._evm.deploy(sender, creation)).lower()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end whatever is done inside; the time too. Does not nest well: see pyrevm."""
        start, now = self._evm.snapshot(), self._now
        try:
            yield
        finally:
            self._evm.revert(start)
            self.now = now

    def raw_call(
        self, sender: str, to: str, data: bytes, gas: int = _GAS
    ) -> tuple[bool, bytes, list[Log]]:
        """Return whether a call was accepted, what it returned or reverted with, and its logs."""
        try:
            output = self._evm.message_call(sender, to, data, gas=gas)
        except RuntimeError as error:
            return False, _reverted_with(error), []
        finally:
            self._evm.reset_transient_storage()
        result = self._evm.result
        logs = []
        for index, log in enumerate(result.logs if result else ()):
            topics, payload = log.data
            logs.append(Log(log.address.lower(), tuple(topics), payload, index))
        return True, output, logs


class Deployed:
    """A contract on an ``InProcessChain``."""

    def __init__(self, chain: InProcessChain, address: str, name: str, abi: Any) -> None:
        self.chain = chain
        self.address = address
        self.name = name
        self.interface = interface_of(abi)

    def send(
        self, function: str, *args: Any, sender: str, gas: int = _GAS
    ) -> tuple[Any, list[Event]]:
        """Call a function and keep what it does; return what it returns, and its own events.

        Raises:
            ContractReverted: it reverted.
        """
        chosen = self.interface.function(function)
        ok, data, logs = self.chain.raw_call(sender, self.address, chosen.encode(args), gas)
        if not ok:
            raise ContractReverted(f"{self.name}.{function}", data)
        return chosen.decode(data), [self._event(log) for log in logs if self._is_known(log)]

    def call(self, function: str, *args: Any, sender: str | None = None, gas: int = _GAS) -> Any:
        """Return what a view returns.

        Raises:
            ContractReverted: it reverted.
        """
        return self.send(function, *args, sender=sender or _VIEWER, gas=gas)[0]

    def _is_known(self, log: Log) -> bool:
        return (log.topics[0], len(log.topics)) in self.interface.events

    def _event(self, log: Log) -> Event:
        codec = self.interface.events[log.topics[0], len(log.topics)]
        return Event(codec.name, codec.decode(log), log.address, log.log_index)


def _reverted_with(error: RuntimeError) -> bytes:
    """Return the revert data, which pyrevm tells in words alone; nothing where the EVM halted."""
    text = str(error)
    if text.startswith("Revert"):
        return bytes.fromhex(text[text.index("output: 0x") + 10 :].rstrip(" }"))
    if text.startswith("Halt"):
        return b""
    raise error
