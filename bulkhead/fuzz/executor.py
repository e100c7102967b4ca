"""Plays calls on a chain, one block each, and brings back everything that can be seen of them.

One ``eth_simulateV1`` request carries a whole sequence: each block has the call and, after it, the
two views of ``Lens``. Nothing is kept on the node; ``commit`` is what sends a call for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bulkhead.chain.codec import asset_id, checksum
from bulkhead.chain.contract import (
    ContractReverted,
    DecodedError,
    decode_error,
    revert_data,
)
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.universe import Universe
from bulkhead.fuzz.views import ChainView

CALL_GAS = 6_000_000
VIEW_GAS = 20_000_000
VIEWER = "0x000000000000000000000000000000000000b0b0"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did on the chain.

    Attributes:
        accepted: it did not revert.
        returned: decoded return value, None if it reverted or returns nothing.
        error: what it reverted with, None if it did not.
        gas: used by the call, as a node reports it.
        view: the state after it.
    """

    accepted: bool
    returned: Any
    error: DecodedError | None
    gas: int
    view: ChainView


@dataclass(frozen=True, slots=True)
class TimedCall:
    """A call and the Unix second of its block."""

    call: Call
    timestamp: int


class Executor:
    """Plays calls on the node of a universe."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        # Anvil's own miner tidies up after it has answered; a revert in between loses transactions.
        universe.rpc.set_automine(False)
        self._lens = universe.contract("Lens")
        ids = [account.to_bytes(32, "big") for account in universe.accounts]
        self._views = [
            self._request(VIEWER, self._lens.address, self._lens.encode("compartment"), VIEW_GAS),
            self._request(VIEWER, self._lens.address, self._lens.encode("accounts", ids), VIEW_GAS),
        ]

    def simulate(self, calls: Sequence[TimedCall]) -> list[Outcome]:
        """Return what a sequence does from the node's latest state, in one request."""
        u = self._u
        number = u.rpc.block_number()
        blocks = [
            {
                "blockOverrides": {
                    "number": hex(number + 1 + i),
                    "time": hex(timed.timestamp),
                    "gasLimit": hex(CALL_GAS + 2 * VIEW_GAS),
                },
                "calls": [self._encoded(timed.call), *self._views],
            }
            for i, timed in enumerate(calls)
        ]
        if not blocks:
            return []
        request = {"blockStateCalls": blocks, "validation": False, "traceTransfers": False}
        answer = u.rpc.request("eth_simulateV1", [request, "latest"])
        return [self._outcome(t.call, b["calls"]) for t, b in zip(calls, answer, strict=True)]

    def round_trip(self, market: int, size: int, timestamp: int) -> int | None:
        """Return what buying and selling ``size`` at once realises, fees apart; nothing is kept.

        None if it is refused. The prober, who has no position, tries it at a constant index.
        """
        u = self._u
        trades = [
            Call(u.keeper, "PerpExchange", "trade", (u.prober, market, delta, limit))
            for delta, limit in ((size, 2**255 * (size > 0)), (-size, 2**255 * (size < 0)))
        ]
        block = {
            "blockOverrides": {"number": hex(u.rpc.block_number() + 1), "time": hex(timestamp)},
            "calls": [self._encoded(trade) for trade in trades],
        }
        request = {"blockStateCalls": [block], "validation": False, "traceTransfers": False}
        [answer] = u.rpc.request("eth_simulateV1", [request, "latest"])
        if any(result["status"] != "0x1" for result in answer["calls"]):
            return None
        exchange = u.contract("PerpExchange")
        fills = [exchange.decode("trade", _bytes(r["returnData"])) for r in answer["calls"]]
        return sum(int(fill.realizedPnl) for fill in fills)

    def commit(self, timed: TimedCall) -> None:
        """Send a call for good, in a block of its own.

        Raises:
            ContractReverted: it was refused.
        """
        rpc = self._u.rpc
        request = self._encoded(timed.call)
        sent = rpc.send(request["from"], request["to"], _bytes(request["data"]), 0, CALL_GAS)
        rpc.mine(timed.timestamp)
        receipt = rpc.receipt(sent)
        if receipt is None or not receipt.success:
            raise ContractReverted(str(timed.call), revert_data(rpc, sent), receipt)

    def view(self) -> ChainView:
        """Return the state now."""
        lens, u = self._lens, self._u
        ids = [account.to_bytes(32, "big") for account in u.accounts]
        return self._chain_view(lens.call("compartment"), lens.call("accounts", ids))

    def _outcome(self, call: Call, results: Sequence[dict[str, Any]]) -> Outcome:
        played, compartment, accounts = results
        accepted = played["status"] == "0x1"
        data = _bytes(played["returnData"])
        for result in (compartment, accounts):
            if result["status"] != "0x1":
                raise AssertionError(
                    f"Lens reverted after {call}: {decode_error(_bytes(result['returnData']))}"
                )
        contract = self._u.contract(call.contract)
        return Outcome(
            accepted,
            contract.decode(call.function, data) if accepted and data else None,
            None if accepted else decode_error(data),
            int(played["gasUsed"], 16),
            self._chain_view(
                self._lens.decode("compartment", _bytes(compartment["returnData"])),
                self._lens.decode("accounts", _bytes(accounts["returnData"])),
            ),
        )

    def _chain_view(self, compartment: Any, accounts: Any) -> ChainView:
        decimals = self._u.book.decimals[self._u.settlement_symbol]
        return ChainView(compartment, accounts, decimals)

    def _encoded(self, call: Call) -> dict[str, Any]:
        contract = self._u.contract(call.contract)
        types = contract.interface.function(call.function).inputs.types
        args = [_abi(value, kind) for value, kind in zip(call.args, types, strict=True)]
        data = contract.encode(call.function, *args)
        return self._request(call.sender, contract.address, data, CALL_GAS)

    @staticmethod
    def _request(sender: str, to: str, data: bytes, gas: int) -> dict[str, Any]:
        return {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(gas)}


def _abi(value: Any, kind: str) -> Any:
    if kind == "bytes32":
        return asset_id(value) if isinstance(value, str) else int(value).to_bytes(32, "big")
    if kind == "address":
        return checksum(value)
    return value


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
