"""The compartment's lock: who may take it, and what is closed while it is taken."""

from __future__ import annotations

import pytest

WAD = 10**18


@pytest.mark.parametrize("function", ["enter", "exit"])
def test_lock__not_a_part_of_the_compartment__refused(world, refuses, function):
    outsiders = [world.breaker.address, world.risk.address, world.custody.address]
    for caller in (*outsiders, world.address("alice"), world.governor):
        with refuses("CompartmentLock_NotAuthorized", caller):
            world.margin.call(function, sender=caller)


@pytest.mark.parametrize("part", ["perps", "pool", "fund", "liquidation"])
def test_lock__part_of_the_compartment__may_take_it(world, part):
    caller = getattr(world, part).address
    for function in ("enter", "exit"):
        world.margin.call(function, sender=caller)


def test_lock__after_a_transaction__is_free_again(world):
    # Taken and never released: transient storage forgets it with the transaction.
    world.margin.transact("enter", sender=world.perps.address)
    assert world.margin.call("isLocked") is False
    world.deposit("alice", 1)
    assert world.ledger("alice").cash == 10**12


STATE_CHANGING = {
    "margin.deposit": lambda w: (w.account("bob"), 0, 1),
    "margin.withdraw": lambda w: (w.account("bob"), 0, 1, w.address("bob")),
    "margin.depositWithPermit": lambda w: (w.account("bob"), 0, 1, 0, 27, bytes(32), bytes(32)),
    "margin.transfer": lambda w: (w.account("bob"), w.account("bob", 1), 0, 1),
    "margin.batch": lambda w: ([], [(0, b"")]),
    "margin.simulate": lambda w: (w.address("bob"), [], [(0, b"")]),
    "margin.convert": lambda w: (w.account("bob"), 1),
    "perps.trade": lambda w: (w.account("bob"), 0, WAD, 2**255),
    "perps.poke": lambda w: (0,),
    "pool.deposit": lambda w: (1, w.address("bob")),
    "pool.mint": lambda w: (1, w.address("bob")),
    "pool.withdraw": lambda w: (1, w.address("bob"), w.address("bob")),
    "pool.redeem": lambda w: (1, w.address("bob"), w.address("bob")),
    "fund.deposit": lambda w: (1, w.address("bob")),
    "fund.mint": lambda w: (1, w.address("bob")),
    "fund.withdraw": lambda w: (1, w.address("bob"), w.address("bob")),
    "fund.redeem": lambda w: (1, w.address("bob"), w.address("bob")),
    "margin.accrueInterest": lambda w: (w.account("bob"),),
    "liquidation.liquidate": lambda w: (w.account("bob"), 0),
    "liquidation.startAuction": lambda w: (w.account("bob"), 1),
    "liquidation.endAuction": lambda w: (w.account("bob"), 1),
    "liquidation.takeAuction": lambda w: (w.account("bob"), 1, 1, 1, w.address("bob"), b""),
    "liquidation.writeOff": lambda w: (w.account("bob"),),
}
VIEWS = {
    "margin.valuation": lambda w: (w.account("bob"),),
    "margin.accountLedger": lambda w: (w.account("bob"),),
    "margin.bookedDebt": lambda w: (w.account("bob"),),
    "margin.borrowState": lambda w: (),
    "margin.maturedClaim": lambda w: (w.account("bob"),),
    "margin.collateralBalance": lambda w: (w.account("bob"), 1),
    "margin.totalCollateral": lambda w: (1,),
    "margin.totals": lambda w: (),
    "margin.unrealizedTotals": lambda w: (),
    "margin.marketUnrealized": lambda w: (0,),
    "margin.haircutRatio": lambda w: (),
    "perps.previewTrade": lambda w: (w.account("bob"), 0, WAD),
    "perps.markPrice": lambda w: (0,),
    "perps.unrealizedPnl": lambda w: (0,),
    "perps.unrealizedPnlOf": lambda w: (w.account("bob"), 0),
    "pool.netAssetValue": lambda w: (),
    "liquidation.previewLiquidate": lambda w: (w.account("bob"), 0),
    "liquidation.isLiquidatable": lambda w: (w.account("bob"),),
    **{
        f"{vault}.{function}": arguments
        for vault in ("pool", "fund")
        for function, arguments in {
            "totalAssets": lambda w: (),
            "convertToShares": lambda w: (10**6,),
            "convertToAssets": lambda w: (10**12,),
            "maxDeposit": lambda w: (w.address("bob"),),
            "maxMint": lambda w: (w.address("bob"),),
            "maxWithdraw": lambda w: (w.address("bob"),),
            "maxRedeem": lambda w: (w.address("bob"),),
            "previewDeposit": lambda w: (1,),
            "previewMint": lambda w: (1,),
            "previewWithdraw": lambda w: (1,),
            "previewRedeem": lambda w: (1,),
        }.items()
    },
}


@pytest.fixture
def reenter(world, attempts):
    """Call from the transfer hook of a hostile collateral, in the middle of a withdrawal of it."""

    def _reenter(call, arguments):
        contract = getattr(world, call.partition(".")[0])
        data = contract.encode(call.partition(".")[2], *arguments)
        token.transact("setCallback", contract.address, data, sender=world.governor)
        receipt = world.margin.transact(
            "withdraw",
            world.account("alice"),
            2,
            1,
            world.address("alice"),
            sender=world.address("alice"),
        )
        [attempt] = attempts(receipt)
        return attempt

    token = world.corrupt(world.wbtc)
    world.deposit("alice", 1_000, 2)
    return _reenter


@pytest.mark.parametrize("call", STATE_CHANGING)
def test_reenter__state_changing_call_from_a_transfer__refused(world, reenter, call):
    assert reenter(call, STATE_CHANGING[call](world)) == (False, ("CompartmentLock_Locked", ()))


@pytest.mark.parametrize("call", VIEWS)
def test_reenter__valuation_view_from_a_transfer__refused(world, reenter, call):
    assert reenter(call, VIEWS[call](world)) == (False, ("CompartmentLock_Locked", ()))


def test_reenter__is_locked__tells(world, reenter):
    assert reenter("margin.isLocked", ()) == (True, (1).to_bytes(32, "big"))


def test_reenter__from_a_deposit__refused(world, attempts):
    token = world.corrupt(world.wbtc)
    data = world.margin.encode("totals")
    token.transact("setCallback", world.margin.address, data, sender=world.governor)
    receipt = world.deposit("alice", 1, 2)
    assert attempts(receipt) == [(False, ("CompartmentLock_Locked", ()))]
