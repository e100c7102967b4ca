"""EVT-1 and LED-1: the log alone rebuilds the ledger; nobody lowers what a bystander has."""

from __future__ import annotations

from collections import defaultdict

import pytest

WAD = 10**18
ETH, BTC = 0, 1
WBTC, WETH = 2, 3
UNIT = 10**12


class Books:
    """The ledger, rebuilt from events."""

    def __init__(self, totals):
        self.totals = defaultdict(int, totals._asdict())
        self.cash = defaultdict(int)
        self.claim = defaultdict(int)
        self.collateral = defaultdict(int)

    def credit(self, account, amount, repaid):
        self.cash[account] += amount
        self.totals["debt"] -= repaid
        self.totals["poolCash"] += repaid
        self.totals["principal"] += amount - repaid

    def charge(self, account, e):
        self.cash[account] -= e.fromCash + e.toDebt
        self.claim[account] -= e.fromClaim
        self.totals["principal"] -= e.fromCash
        self.totals["claims"] -= e.fromClaim
        self.totals["debt"] += e.toDebt

    def read(self, event):
        name, e = event.name, event.args
        t = self.totals
        if name == "Deposited" and e.collateral == 0:
            self.credit(e.account, e.amountTokens * UNIT, e.debtRepaid)
        elif name == "Deposited":
            self.collateral[e.account, e.collateral] += e.amountTokens
        elif name == "Withdrawn" and e.collateral == 0:
            self.cash[e.account] -= e.amountTokens * UNIT
            t["principal"] -= e.amountTokens * UNIT
        elif name in ("Withdrawn", "CollateralSeized", "CollateralForfeited"):
            self.collateral[e.account, e.collateral] -= e.amountTokens
        elif name == "Transferred" and e.collateral == 0:
            self.cash[e[0]] -= e.amountTokens * UNIT
            t["principal"] -= e.amountTokens * UNIT
            self.credit(e.to, e.amountTokens * UNIT, e.debtRepaid)
        elif name == "Transferred":
            self.collateral[e[0], e.collateral] -= e.amountTokens
            self.collateral[e.to, e.collateral] += e.amountTokens
        elif name == "Converted":
            self.claim[e.account] -= e.amount
            self.cash[e.account] += e.paid
            t["claims"] -= e.amount
            t["poolCash"] -= e.paid
            t["principal"] += e.paid
        elif name == "ProfitApplied":
            self.cash[e.account] += e.debtForgiven
            self.claim[e.account] += e.claimed
            t["debt"] -= e.debtForgiven
            t["claims"] += e.claimed
        elif name == "LossApplied":
            self.charge(e.account, e)
            t["poolCash"] += e.fromCash
        elif name == "FeeCharged":
            self.charge(e.account, e)
            t["insuranceCash"] += e.toInsurance
            t["poolCash"] += e.toPool
            t["feeReserve"] += e.fromCash - e.toInsurance - e.toPool
        elif name == "InterestAccrued":
            self.cash[e.account] -= e.interest
            t["debt"] += e.interest
        elif name == "OrderFeeEscrowed":
            self.cash[e.account] -= e.fee
            t["principal"] -= e.fee
            t["feeReserve"] += e.fee
        elif name in ("KeeperRewarded", "RebatePaid"):
            t["feeReserve"] -= e.amount
            self.credit(e.account, e.amount, e.debtRepaid)
        elif name == "AuctionProceedsCredited":
            self.credit(e.account, e.amountTokens * UNIT, e.debtRepaid)
        elif name == "PoolCashChanged":
            t["poolCash"] += e.delta
            assert t["poolCash"] == e.poolCash
        elif name == "InsuranceCashChanged":
            t["insuranceCash"] += e.delta
            assert t["insuranceCash"] == e.insuranceCash
        elif name == "BadDebtWrittenOff":
            self.cash[e.account] += e.receipt.debt
            t["debt"] -= e.receipt.debt
            t["insuranceCash"] -= e.receipt.insurance
            t["poolCash"] += e.receipt.insurance
        else:
            assert name in ("UnrealizedReported", "BorrowRateSet")


@pytest.fixture
def by(world):
    """Send a transaction in a person's name."""

    def _by(who, part, function, *arguments):
        contract = getattr(world, part)
        return contract.transact(function, *arguments, sender=world.address(who))

    return _by


@pytest.fixture
def acts(world, by):
    """One of everything that moves the ledger, in order; alice only looks on."""
    bob, carol = world.address("bob"), world.address("carol")
    carols, daves = world.account("carol"), world.account("dave")

    def _acts():
        world.set_compartment(vestingPeriod=60)
        world.set_market(ETH, maxRebate=WAD // 10_000)
        world.set_interest(rateAtZero=WAD // 100, rateAtKink=WAD // 100, rateAtFull=WAD // 100)
        yield world.deposit("bob", 3_000_000 * 10**6)
        yield world.deposit("carol", 60_000 * 10**6)
        yield by("carol", "margin", "deposit", carols, WETH, WAD)
        yield by("bob", "perps", "trade", world.account("bob"), ETH, 500 * WAD, 2**255)
        yield by("carol", "perps", "trade", carols, ETH, -300 * WAD, 0)
        yield by("bob", "perps", "trade", world.account("bob"), BTC, -3 * WAD, 0)
        world.publish("ETH", 3_150 * WAD)
        yield by("bob", "perps", "trade", world.account("bob"), ETH, -200 * WAD, 0)
        yield by("keeper", "liquidation", "liquidate", carols, ETH)
        world.publish("ETH", 3_400 * WAD)
        yield by("keeper", "liquidation", "liquidate", carols, ETH)
        yield by("keeper", "liquidation", "startAuction", carols, WETH)
        yield by("bob", "liquidation", "takeAuction", carols, WETH, WAD, 2**255, bob, b"")
        yield by("keeper", "liquidation", "writeOff", carols)
        world.skip(60)
        yield by("bob", "margin", "convert", world.account("bob"), 10 * WAD)
        yield by("bob", "margin", "withdraw", world.account("bob"), 0, 10**6, carol)
        world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=bob)
        world.usdb.transact("approve", world.fund.address, 2**256 - 1, sender=bob)
        yield by("bob", "pool", "deposit", 10**9, bob)
        yield by("bob", "fund", "deposit", 10**9, bob)
        order = (world.account("bob"), ETH, -WAD, 0, 0, world.now + 3_000, 1)
        yield by("bob", "delayed", "commit", *order)
        world.ask_to_leave("bob")
        yield by("bob", "pool", "redeem", 10**12, bob, bob)
        yield by("bob", "fund", "redeem", 10**12, bob, bob)
        yield by("dave", "margin", "deposit", daves, WETH, WAD // 5_000)
        yield world.settle("dave", -5 * WAD)
        yield by("keeper", "liquidation", "writeOff", daves)
        yield world.settle("dave", -7 * WAD, 2 * WAD)
        yield world.settle("dave", 3 * WAD)
        yield world.deposit("dave", 10 * 10**6)
        yield by("dave", "margin", "deposit", daves, WBTC, 7)
        yield by("dave", "margin", "transfer", daves, world.account("dave", 1), WBTC, 3)
        yield by("dave", "margin", "withdraw", daves, WBTC, 4, world.address("dave"))
        yield world.settle("dave", -11 * WAD)
        yield world.deposit("dave", 10 * 10**6, sub=1)
        yield by("dave", "margin", "transfer", world.account("dave", 1), daves, 0, 9 * 10**6)

    return _acts


def test_events__one_of_everything__rebuild_the_ledger(world, acts):
    books = Books(world.totals())
    seen = set()
    surplus = world.surplus()
    for receipt in acts():
        for event in world.margin.events(receipt):
            books.read(event)
            seen.add(event.name)
        assert dict(books.totals) == world.totals()._asdict()
        assert world.surplus() >= surplus  # CUS-1.
        for who in ("bob", "carol", "dave", "keeper"):
            account, entry = world.account(who), world.ledger(who)
            debt = world.margin.call("bookedDebt", account).debt
            booked = -debt if entry.cash < 0 else entry.cash
            assert (booked, entry.claim) == (books.cash[account], books.claim[account])
            for collateral in (1, WBTC, WETH):
                assert (
                    world.margin.call("collateralBalance", account, collateral)
                    == books.collateral[account, collateral]
                )
    every = {e["name"] for e in world.margin.abi if e["type"] == "event"}
    assert seen == every


def test_bystander__whatever_others_do__loses_nothing(world, acts):
    world.deposit("alice", 1_000 * 10**6)
    world.deposit("alice", WAD, WETH)
    world.settle("alice", 50 * WAD)
    world.trade("alice", WAD // 10)
    before = world.ledger("alice"), world.position("alice")
    balances = [
        world.margin.call("collateralBalance", world.account("alice"), c) for c in (1, 2, 3)
    ]
    tokens = [world.token(c).call("balanceOf", world.address("alice")) for c in range(4)]
    for _ in acts():
        assert (world.ledger("alice"), world.position("alice")) == before
    assert balances == [
        world.margin.call("collateralBalance", world.account("alice"), c) for c in (1, 2, 3)
    ]
    assert tokens == [world.token(c).call("balanceOf", world.address("alice")) for c in range(4)]
