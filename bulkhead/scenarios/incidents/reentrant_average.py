"""A pool priced in the middle of a trade, through another contract (2025-07).

A perpetual exchange kept the average price of its short positions in one contract and changed the
positions in another. A callback between the two steps opened positions past the first, the average
was wrong, the value of the pool's shares was read from it, and shares were redeemed at that value.
Each function had its own guard. Figures are as publicly reported, mostly from secondary sources.

Replayed: the one place where this suite calls a stranger between two steps that change the pool's
value, an auction's flash callback: the collateral is gone, and the debt that its price repays is
still there. A debt counts nothing to those who leave the pool until it is repaid, so the pool is
worth less in the callback than after it. Trades have no such place: positions, averages and the
ledger change without a call to a stranger in between, so the original's own path does not exist
here. From the callback the attacker tries to enter and leave the pool, to trade and to withdraw,
and to read whatever the pool's value can be computed from. She tries the same while a settlement
token calls back from each way that it is moved. ``contracts/devnet`` has both.

What the naive rule would show in the callback is read from the same transaction: in a world that is
undone afterwards, the pool's address has code that passes on what it is asked, and the margin
engine answers the pool, as a part of the compartment. The naive pool has one value, what it is
worth to those who leave. The attacker enters it with as much as it holds and leaves after the call.
This suite has a second line behind the lock: who enters pays for debt in full; the last figure is
what that alone would leave of her gain. No parameter takes the lock away, so there is no control;
instead the very same calls are made outside of a callback, where none meets the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bulkhead.chain.contract import Contract, decode_error
from bulkhead.chain.rpc import Receipt
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome, ReplayError
from bulkhead.scenarios.incidents.compartment import TOKEN_UNIT, cash_of, position_of, what_if
from bulkhead.scenarios.incidents.world import (
    ANY_PRICE,
    ETH_PERP,
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

WETH = 3
"""The collateral's id on the devnet."""
COLLATERAL, SIZE = 300 * WAD, 2_500 * WAD
LATER_PRICE = 2_720 * WAD
"""Alice is below maintenance, owes after her liquidation, and is not bankrupt."""
LOT = 250 * WAD
PURSE = 10_000_000 * USDB
SMALL = 1_000 * USDB
GAS = 20_000_000
LOCKED = "CompartmentLock_Locked"

Call = tuple[Contract, str, tuple[Any, ...]]


class ReentrantAverage(Incident):
    """A value read while half of it was written."""

    name = "reentrant-average"
    when = "2025-07"
    happened = (
        "A callback between two contracts left an average stale, and the pool was priced by it."
    )
    reported = "~$42M"
    naive_rule = (
        "a lock per function, and one value of a share: the pool can be read, entered and left in "
        "the middle of another contract's call"
    )
    loss_means = (
        "what a deposit as large as the pool, made in an auction's callback, takes from the others "
        "when it leaves after the call"
    )
    defence = (
        "one transient lock for all contracts of a compartment, which the views that sum up its "
        "value ask too; who enters the pool pays for debt in full, who leaves gets nothing for it"
    )
    without = "no parameter takes the lock away; outside of a callback the same calls never meet it"
    has_control = False

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        self.require_control(defended)
        with incident_world() as world:
            return _Replay(world).play()


class _Worth(NamedTuple):
    """What all shares of the pool are worth, WAD, to those who enter and to those who leave."""

    to_enter: int
    to_leave: int


class _Replay:
    def __init__(self, world: IncidentWorld) -> None:
        self.world = world
        self.pool = world.named("LiquidityVault")
        self.usdb = world.named("USDB")
        self.callee = world.deploy("ReentrantCallee")
        self.account = bytes.fromhex(self.callee.address[2:]) + bytes(12)
        world.send(self.usdb, "mint", self.callee.address, PURSE)
        for spender in (world.named("CollateralVault"), self.pool):
            world.send(self.callee, "approve", self.usdb.address, spender.address)
        world.deposit("bob", self.usdb, SETTLEMENT, SMALL)
        world.approve(self.usdb, "lp", self.pool)
        risk = world.named("RiskParameters")
        # Nothing but the lock is to stand in the way.
        at_once = risk.call("poolParameters")._replace(cooldown=0, coverageRatio=0)
        world.send(risk, "setPool", at_once)
        world.send(self.pool, "requestRedeem", 2 * WAD, by="lp")

    def play(self) -> Outcome:
        """Reenter out of a token and out of an auction; see the module."""
        world = self.world
        refusals = {
            f"all of these, while a token moves in a {entry}": self._out_of_token(call)
            for entry, call in self._entries().items()
        }
        self._put_on_auction()
        debt = -cash_of(world, "alice")
        before = self._worth()
        middle = self._worth_in_the_middle()
        with what_if(world):
            outside = world.send(self.callee, "attempt", self._encoded(self._calls()), by="alice")
            met_outside = sum(error == LOCKED for error in self._errors(outside))
        inside = self._errors(self._take(self._encoded(self._calls())))
        after = self._worth()
        tried = dict(zip(self._calls(), inside, strict=True))
        held = self.pool.call("convertToAssets", self.pool.call("balanceOf", self.callee.address))
        deposit = before.to_leave
        return Outcome(
            naive_loss=_gain(deposit, middle.to_leave, after.to_leave),
            suite_loss=int(held) * TOKEN_UNIT,
            answer="refused every one of these calls and reads with the same error",
            refusals={f"{name}, in an auction's callback": e for name, e in tried.items()}
            | refusals,
            figures={
                "pool_before_wad": before.to_leave,
                "pool_in_the_callback_wad": middle.to_leave,
                "pool_after_wad": after.to_leave,
                "pool_in_the_callback_to_enter_wad": middle.to_enter,
                "pool_after_to_enter_wad": after.to_enter,
                "debt_before_wad": debt,
                "debt_after_wad": -cash_of(world, "alice"),
                "same_calls_that_met_the_lock_outside": met_outside,
                "naive_deposit_wad": deposit,
                "gain_if_only_the_lock_were_missing_wad": _gain(
                    deposit, middle.to_enter, after.to_leave
                ),
            },
        )

    # ------------------------------------------------------------------ what is tried

    def _calls(self) -> Mapping[str, Call]:
        """Return what the attacker tries, by what it is."""
        world, me = self.world, self.callee.address
        return {
            "deposit in the pool": (self.pool, "deposit", (SMALL, me)),
            "redeem from the pool": (self.pool, "redeem", (WAD, me, me)),
            "trade": (world.perps, "trade", (self.account, ETH_PERP, WAD, ANY_PRICE)),
            "withdraw margin": (world.margin, "withdraw", (self.account, SETTLEMENT, 1, me)),
            "read totalAssets": (self.pool, "totalAssets", ()),
            "read convertToAssets": (self.pool, "convertToAssets", (WAD,)),
            "read netAssetValue": (self.pool, "netAssetValue", ()),
            "read the ledger's totals": (world.margin, "totals", ()),
            "read unrealised totals": (world.margin, "unrealizedTotals", ()),
            "read a market's unrealised total": (world.perps, "closeOutPnl", (ETH_PERP,)),
        }

    def _entries(self) -> Mapping[str, tuple[Contract, str, tuple[Any, ...], str]]:
        """Return the ways by which the settlement token is moved, and who uses each."""
        world = self.world
        lp, bob = world.address("lp"), world.address("bob")
        mine = world.account("bob"), SETTLEMENT, SMALL // 10
        return {
            "deposit in the pool": (self.pool, "deposit", (SMALL, lp), "lp"),
            "redemption from the pool": (self.pool, "redeem", (WAD, lp, lp), "lp"),
            "deposit of margin": (world.margin, "deposit", mine, "bob"),
            "withdrawal of margin": (world.margin, "withdraw", (*mine, bob), "bob"),
        }

    def _encoded(self, calls: Mapping[str, Call]) -> list[tuple[str, bytes]]:
        return [(c.address, c.encode(function, *args)) for c, function, args in calls.values()]

    def _out_of_token(self, entry: tuple[Contract, str, tuple[Any, ...], str]) -> str:
        """Try everything while a settlement token calls back; return the error, if it is one."""
        world = self.world
        contract, function, arguments, who = entry
        with what_if(world):
            hostile = world.deploy("HostileToken", "", "", self.usdb.call("decimals"))
            self._replace(self.usdb.address, world.rpc.code(hostile.address))
            token = Contract(world.rpc, self.usdb.address, hostile.abi, "HostileToken")
            data = self.callee.encode("attempt", self._encoded(self._calls()))
            world.send(token, "setCallback", self.callee.address, data)
            sender = world.address(who)
            receipt = contract.transact(function, *arguments, sender=sender, gas=GAS)
            errors = self._errors(receipt)
        if len(errors) != len(self._calls()):
            raise ReplayError(f"{function}: {len(errors)} attempts were made")
        return ", ".join(dict.fromkeys(errors))

    def _errors(self, receipt: Receipt) -> list[str]:
        """Return how each attempt ended: the error's name, empty if it was not refused."""
        attempts = [e.args for e in self.callee.events(receipt, "Attempted")]
        return ["" if a.success else decode_error(a.returndata).name for a in attempts]

    # ------------------------------------------------------------------ the auction

    def _put_on_auction(self) -> None:
        """Let alice lose so much that she owes, and start the auction of her collateral."""
        world = self.world
        world.deposit("alice", world.named("WETH"), WETH, COLLATERAL)
        world.trade("alice", SIZE).require("alice's trade")
        world.refresh({"ETH": LATER_PRICE})
        while position_of(world, "alice", ETH_PERP):
            world.liquidate("alice").require("the liquidation")
        account = world.account("alice")
        world.send(world.liquidation, "startAuction", account, WETH, by="keeper")

    def _take(self, attempts: Sequence[tuple[str, bytes]]) -> Receipt:
        """Let the attacker take from the auction and try things in the callback."""
        world = self.world
        arguments = world.liquidation.address, world.account("alice"), WETH, LOT, attempts
        return self.callee.transact("take", *arguments, sender=world.address("bob"), gas=GAS)

    # ------------------------------------------------------------------ what the pool is worth

    def _worth(self) -> _Worth:
        value = self.pool.call("netAssetValue")
        return _Worth(int(value.toEnter), int(value.toLeave))

    def _worth_in_the_middle(self) -> _Worth:
        """Return what the pool's formula gives in the callback, where no outsider can read it."""
        margin = self.world.margin
        reads = "totals", "unrealizedTotals"
        with what_if(self.world):
            self._replace(self.pool.address, _passing_on(margin.address))
            receipt = self._take([(self.pool.address, margin.encode(read)) for read in reads])
            answers = [e.args for e in self.callee.events(receipt, "Attempted")]
        if not all(a.success for a in answers):
            raise ReplayError("the ledger did not answer the pool")
        t, u = (margin.decode(r, a.returndata) for r, a in zip(reads, answers, strict=True))
        cash = int(t.poolCash) - int(t.claims)
        return _Worth(cash + int(t.debt) - int(u.net), cash - int(u.positive))

    def _replace(self, address: str, code: bytes) -> None:
        self.world.rpc.request("anvil_setCode", [address, "0x" + code.hex()])


def _gain(deposit: int, entered_at: int, left_at: int) -> int:
    """Return the gain of one who enters a pool of one value and leaves it at another.

    All WAD. Shares are ``deposit / entered_at`` of the others'; what is left at has no deposit yet.
    """
    return deposit * (left_at + deposit) // (entered_at + deposit) - deposit


def _passing_on(address: str) -> bytes:
    """Return code that calls an address with what it was called with, and returns the answer."""
    copy_input, call, answer = "365f5f37", "5f5f365f5f73{}5af1", "3d5f5f3e3d5ff3"
    return bytes.fromhex(copy_input + call.format(address[2:]) + answer)
