"""Prices set by anyone through a trusted forwarder (2025-04).

A derivatives exchange took price updates from a forwarder that it trusted, and the forwarder did
not check who was asking. The attacker set a low price, opened long positions, set a high price and
closed them. Figures are as publicly reported, mostly from secondary sources.

Replayed: a store that takes a price from whoever calls, and beside it ``SignedReportAdapter`` with
three of five signers as the only source of the exchange's ETH price. The attacker wants ETH at 100,
buys 700, wants it at 10,000 and sells, and tries six ways to get a report accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.votes import Vote
from bulkhead.scenarios.incidents.world import (
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

ASSET = "ETH-SIGNED"
TRUE_PRICE, LOW_PRICE, HIGH_PRICE = 3_000 * WAD, 100 * WAD, 10_000 * WAD
SIZE = 700 * WAD
CASH = 200_000 * USDB
MAX_AGE = 600
THRESHOLD, SIGNERS = 3, 5
OTHER_CHAIN = 1

Report = tuple[str, int, int, bytes]
"""Signer, price (WAD), Unix seconds, signature."""


class ForgedForwarder(Incident):
    """An update that nobody authenticated."""

    name = "forged-forwarder"
    when = "2025-04"
    happened = "Anyone could set prices through a forwarder that the exchange trusted."
    reported = "~$7M"
    naive_rule = "take the price from whoever the trusted forwarder passes on"
    loss_means = "profit of one round trip at prices that the attacker set"
    defence = "SignedReportAdapter counts only what enough known signers signed for it, once"
    without = "the attacker's own keys are the signers"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _play(world, defended)


def _play(world: IncidentWorld, defended: bool) -> Outcome:
    honest, attackers = _keys(0), _keys(SIGNERS)
    signers = honest if defended else attackers
    addresses = [key.address for key in signers]
    adapter = world.deploy("SignedReportAdapter", asset_id(ASSET), addresses, THRESHOLD, MAX_AGE)
    signed = _Signing(world, adapter)
    first = signed.reports(signers[:THRESHOLD], TRUE_PRICE)
    world.send(adapter, "submit", first)
    world.price(ASSET, [Vote(adapter.address)])
    market = world.list_market(ASSET)
    world.deposit("alice", world.named("USDB"), SETTLEMENT, CASH)

    refusals = _attempts(signed, first, honest, attackers)
    opened = _round(signed, market, attackers, LOW_PRICE, SIZE)
    low = world.latest(ASSET).price
    closed = _round(signed, market, attackers, HIGH_PRICE, -SIZE)
    refusals |= {"set the low price": opened, "set the high price": closed}
    gained = _equity(world, "alice") - CASH * 10**12

    store = world.deploy("ScriptedRate", 18, TRUE_PRICE)
    naive_low, naive_high = (_anyone_sets(world, store, p) for p in (LOW_PRICE, HIGH_PRICE))
    return Outcome(
        naive_loss=SIZE * (naive_high - naive_low) // WAD,
        suite_loss=max(0, gained),
        answer="refused every report; the round trip at the true price only cost its fees",
        refusals=refusals,
        figures={
            "price_after_first_attempt_wad": low,
            "price_after_second_attempt_wad": world.latest(ASSET).price,
            "attacker_gained_wad": gained,
        },
    )


class _Signing:
    """Makes reports for one adapter."""

    def __init__(self, world: IncidentWorld, adapter: Contract) -> None:
        self.world = world
        self.adapter = adapter

    def reports(
        self, keys: Sequence[LocalAccount], price: int, *, chain_id: int | None = None
    ) -> list[Report]:
        """Return reports of a price (WAD) at the time of the latest block, by these keys."""
        return [self.report(key, key.address, price, chain_id) for key in keys]

    def report(
        self, key: LocalAccount, signer: str, price: int, chain_id: int | None = None
    ) -> Report:
        """Return a report in the name of a signer, signed with a key."""
        now = self.world.now
        fields = (("asset", "bytes32"), ("price", "uint256"), ("timestamp", "uint256"))
        message = encode_typed_data(
            domain_data={
                "name": "Bulkhead SignedReportAdapter",
                "version": "1",
                "chainId": chain_id or self.world.rpc.chain_id(),
                "verifyingContract": self.adapter.address,
            },
            message_types={"PriceReport": [{"name": n, "type": t} for n, t in fields]},
            message_data={"asset": asset_id(ASSET), "price": price, "timestamp": now},
        )
        return signer, price, now, bytes(key.sign_message(message).signature)

    def submit(self, reports: Sequence[Report]) -> str:
        """Let the attacker submit reports; return the error's name."""
        return self.world.attempt(self.adapter, "submit", list(reports), by="alice").error


def _attempts(
    signed: _Signing,
    first: Sequence[Report],
    honest: Sequence[LocalAccount],
    attackers: Sequence[LocalAccount],
) -> dict[str, str]:
    """Return how each way to get a false report accepted ended."""
    names = [key.address for key in honest[:THRESHOLD]]
    forged = [
        signed.report(key, name, LOW_PRICE) for key, name in zip(attackers, names, strict=False)
    ]
    elsewhere = signed.reports(honest[:THRESHOLD], LOW_PRICE, chain_id=OTHER_CHAIN)
    altered = [(r[0], LOW_PRICE, r[2], r[3]) for r in signed.reports(honest[:THRESHOLD], WAD)]
    one = signed.report(honest[0], honest[0].address, LOW_PRICE)
    return {
        "forged signatures": signed.submit(forged),
        "replayed reports": signed.submit(first),
        "reports of another chain": signed.submit(elsewhere),
        "altered price": signed.submit(altered),
        "too few signers": signed.submit([one] * (THRESHOLD - 1)),
        "one signer, three times": signed.submit([one] * THRESHOLD),
    }


def _round(
    signed: _Signing, market: int, keys: Sequence[LocalAccount], price: int, size: int
) -> str:
    """Let the attacker try to set a price with her own keys, then trade; how setting it ended."""
    signed.world.skip(1)
    error = signed.submit(signed.reports(keys[:THRESHOLD], price))
    signed.world.look_twice(ASSET)
    # She trades at whatever the price is now.
    signed.world.trade("alice", size, market).require("the attacker's trade")
    return error


def _anyone_sets(world: IncidentWorld, store: Contract, price: int) -> int:
    """Let a stranger set the naive store's price; return what it then says."""
    world.send(store, "set", price, by="alice")
    return int(store.call("rate"))


def _equity(world: IncidentWorld, who: str) -> int:
    """Return a person's cash and realised profit, WAD."""
    ledger: Any = world.margin.call("accountLedger", world.account(who))
    return int(ledger.cash + ledger.claim)


def _keys(first: int) -> list[LocalAccount]:
    """Return five keys in ascending order of their addresses."""
    keys = [Account.from_key(i.to_bytes(32, "big")) for i in range(first + 1, first + 1 + SIGNERS)]
    return sorted(keys, key=lambda key: int(key.address, 16))
