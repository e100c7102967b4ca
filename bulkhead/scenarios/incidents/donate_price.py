"""A vault token's share price raised by a donation (2021-10).

A lender priced a yield vault's shares at what the vault said and lent the shares themselves out, so
that the same shares could be posted several times. With few shares left in the vault, a donation
doubled the price of all that was posted. Figures are as publicly reported, mostly from secondary
sources; the book below has the shape of the original, not its numbers.

Replayed: a real ERC-4626 vault with 8 million in it. In the naive book, account A has posted 1,500
million shares, which account B borrowed against 2,000 million of other collateral and passed on.
The attacker donates 8 million in one block. The naive book reads the vault; the same book is then
read through ``ExchangeRateAdapter``. This suite itself lends no collateral out; in its compartment
a holder of 400,000 shares tries to trade on the doubled price.
"""

from __future__ import annotations

from bulkhead.chain.contract import Contract
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.votes import Vote
from bulkhead.scenarios.incidents.world import DAY, IncidentWorld, incident_world

ASSET = "vUSD"
OTHERS = 7_600_000 * WAD
HELD = 400_000 * WAD
DONATION = 8_000_000 * WAD
GROWTH_PER_DAY = WAD // 5_000
"""0.02 % per day, 7 % per year."""
DORMANT_GROWTH_PER_DAY = WAD // 100
"""The most that the adapter allows."""
DORMANT_DAYS = 120
VAULT_KIND = 0
HAIRCUT = WAD // 4

POSTED_SHARES = 1_500_000_000 * WAD
OTHER_COLLATERAL = 2_000_000_000 * WAD
LOAN_RATIO = WAD * 3 // 4


class DonatePrice(Incident):
    """A donation to a vault."""

    name = "donate-price"
    when = "2021-10"
    happened = "The share price of a vault token used as collateral was doubled by a donation."
    reported = "~$130M"
    naive_rule = "price shares at convertToAssets, and lend shares out to be posted again"
    loss_means = "lent to A beyond the collateral that stands behind B's debt"
    defence = (
        "ExchangeRateAdapter believes a rise only along its line: one block moves it by nothing"
    )
    without = "the largest growth that the adapter allows, and nobody pokes it for 120 days"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _play(world, defended)


def _play(world: IncidentWorld, defended: bool) -> Outcome:
    underlying = world.token("USDX")
    vault = world.deploy("DevVault", underlying.address, 0)
    _enter(world, underlying, vault, "bob", OTHERS)
    _enter(world, underlying, vault, "alice", HELD)
    growth = GROWTH_PER_DAY if defended else DORMANT_GROWTH_PER_DAY
    adapter = world.deploy("ExchangeRateAdapter", vault.address, VAULT_KIND, growth)
    world.price(ASSET, [Vote(adapter.address)])
    collateral = world.list_collateral(ASSET, vault, ASSET, haircut=HAIRCUT)
    world.deposit("alice", vault, collateral, HELD)
    if not defended:
        world.skip(DORMANT_DAYS * DAY)
        world.refresh()
    before = world.latest(ASSET).price
    credit_before = world.credit("alice")

    world.give(underlying, "carol", DONATION)
    world.send(underlying, "transfer", vault.address, DONATION, by="carol")
    raw = int(vault.call("convertToAssets", WAD))
    world.send(adapter, "poke")
    world.look_twice(ASSET)
    suite_price = world.latest(ASSET).price

    naive_credit = HELD * raw // WAD * (WAD - HAIRCUT) // WAD
    refused = world.probe("alice", naive_credit)
    return Outcome(
        naive_loss=_book_loss(raw),
        suite_loss=_book_loss(suite_price),
        answer="believed the old rate plus seconds of growth; the trade on the rise was refused",
        refusals={"open on the donated price": refused.error},
        figures={
            "price_before_wad": before,
            "vault_rate_wad": raw,
            "suite_price_wad": suite_price,
            "credit_before_wad": credit_before,
            "naive_credit_wad": naive_credit,
            "suite_credit_wad": max(0, world.credit("alice")),
        },
    )


def _enter(
    world: IncidentWorld, underlying: Contract, vault: Contract, who: str, amount: int
) -> None:
    """Let a person put an amount of the underlying into the vault."""
    world.give(underlying, who, amount)
    world.approve(underlying, who, vault)
    world.send(vault, "deposit", amount, world.address(who), by=who)


def _book_loss(price: int) -> int:
    """Return what the naive book loses at a share price: A borrows all it may, and B defaults."""
    lent = POSTED_SHARES * price // WAD * LOAN_RATIO // WAD
    return max(0, lent - OTHER_COLLATERAL)
