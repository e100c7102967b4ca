"""The buyer's callback: between collateral and payment, with the whole compartment closed."""

from __future__ import annotations

import pytest

WAD = 10**18
WETH = 3
TOP = 3_150 * WAD
LOCKED = (False, ("CompartmentLock_Locked", ()))


@pytest.fixture
def callee(world):
    """A buyer that reenters; it has money and has approved custody."""
    contract = world.deploy("ReentrantCallee")
    world.usdb.transact("mint", contract.address, 10**12, sender=world.governor)
    contract.transact("approve", world.usdb.address, world.custody.address, sender=world.governor)
    return contract


@pytest.fixture
def auction(world, callee, indebted, start_auction):
    """Alice's WETH is on auction."""
    start_auction()
    return world.account("alice")


def mine(world, callee):
    """The account of the contract that calls back, which may act for itself."""
    return bytes.fromhex(callee.address[2:]) + bytes(12)


STATE_CHANGING = {
    "margin.deposit": lambda w, c: (mine(w, c), 0, 1),
    "margin.withdraw": lambda w, c: (mine(w, c), 0, 1, c.address),
    "margin.convert": lambda w, c: (mine(w, c), 1),
    "margin.enter": None,
    "margin.exit": None,
    "perps.trade": lambda w, c: (mine(w, c), 0, WAD, 2**255),
    "perps.poke": lambda w, c: (0,),
    "pool.deposit": lambda w, c: (10**6, c.address),
    "pool.mint": lambda w, c: (10**12, c.address),
    "pool.withdraw": lambda w, c: (1, c.address, c.address),
    "pool.redeem": lambda w, c: (1, c.address, c.address),
    "fund.deposit": lambda w, c: (10**6, c.address),
    "fund.mint": lambda w, c: (10**12, c.address),
    "fund.withdraw": lambda w, c: (1, c.address, c.address),
    "fund.redeem": lambda w, c: (1, c.address, c.address),
    "liquidation.liquidate": lambda w, c: (w.account("alice"), 0),
    "liquidation.startAuction": lambda w, c: (w.account("alice"), 1),
    "liquidation.endAuction": lambda w, c: (w.account("alice"), WETH),
    "liquidation.takeAuction": lambda w, c: (w.account("alice"), WETH, 1, TOP, c.address, b""),
    "liquidation.writeOff": lambda w, c: (w.account("alice"),),
    "delayed.commit": lambda w, c: (mine(w, c), 0, WAD, 2**128 - 1, 0, 2**40 - 1, 0),
    "delayed.settle": lambda w, c: (1, mine(w, c)),
    "delayed.trigger": lambda w, c: (1,),
    "delayed.cancel": lambda w, c: (1,),
    "delayed.fix": lambda w, c: (0,),
}
VIEWS = {
    "margin.valuation": lambda w, c: (w.account("alice"),),
    "margin.accountLedger": lambda w, c: (w.account("alice"),),
    "margin.maturedClaim": lambda w, c: (w.account("alice"),),
    "margin.collateralBalance": lambda w, c: (w.account("alice"), WETH),
    "margin.totalCollateral": lambda w, c: (WETH,),
    "margin.totals": lambda w, c: (),
    "margin.orderEscrow": lambda w, c: (),
    "margin.unrealizedTotals": lambda w, c: (),
    "margin.marketUnrealized": lambda w, c: (0,),
    "margin.haircutRatio": lambda w, c: (),
    "perps.previewTrade": lambda w, c: (mine(w, c), 0, WAD),
    "perps.markPrice": lambda w, c: (0,),
    "perps.closeOutPnl": lambda w, c: (0,),
    "perps.unrealizedPnl": lambda w, c: (0,),
    "perps.unrealizedPnlOf": lambda w, c: (w.account("alice"), 0),
    "pool.netAssetValue": lambda w, c: (),
    "pool.totalAssets": lambda w, c: (),
    "pool.previewRedeem": lambda w, c: (10**12,),
    "pool.convertToAssets": lambda w, c: (10**12,),
    "pool.maxWithdraw": lambda w, c: (c.address,),
    "fund.totalAssets": lambda w, c: (),
    "fund.previewRedeem": lambda w, c: (10**12,),
    "liquidation.previewLiquidate": lambda w, c: (w.account("alice"), 0),
    "liquidation.isLiquidatable": lambda w, c: (w.account("alice"),),
}


def attempts_of(world, callee, calls):
    encoded = []
    for call, arguments in calls.items():
        part, _, function = call.partition(".")
        contract = getattr(world, part)
        values = arguments(world, callee) if arguments else ()
        encoded.append((contract.address, contract.encode(function, *values)))
    return encoded


@pytest.mark.parametrize("calls", [STATE_CHANGING, VIEWS], ids=["state-changing", "views"])
def test_callback__reenters_anywhere__refused(world, auction, callee, attempts, calls):
    receipt = callee.transact(
        "take",
        world.liquidation.address,
        auction,
        WETH,
        WAD // 100,
        attempts_of(world, callee, calls),
        sender=world.address("bob"),
        gas=15_000_000,
    )
    found = dict(zip(calls, attempts(receipt, ("Attempted",)), strict=True))
    not_authorized = (False, ("CompartmentLock_NotAuthorized", (callee.address,)))
    expected = {
        call: not_authorized if call in ("margin.enter", "margin.exit") else LOCKED
        for call in calls
    }
    assert found == expected


def test_callback__same_calls_outside_of_it__are_not_refused_by_the_lock(
    world, auction, callee, attempts
):
    calls = {**STATE_CHANGING, **VIEWS}
    receipt = callee.transact(
        "attempt",
        attempts_of(world, callee, calls),
        sender=world.address("bob"),
        gas=15_000_000,
    )
    found = attempts(receipt, ("Attempted",))
    assert len(found) == len(calls)
    assert LOCKED not in found


def test_callback__order__collateral_first_then_call_then_exact_payment(world, auction, callee):
    world.freeze()
    usdb = world.usdb.call("balanceOf", callee.address)
    receipt = callee.transact(
        "take",
        world.liquidation.address,
        auction,
        WETH,
        WAD // 10,
        [],
        sender=world.address("bob"),
    )
    paid = 315 * 10**6
    [called] = callee.events(receipt, "Called")
    assert tuple(called.args) == (world.weth.address, WAD // 10, paid, WAD // 10)
    [seized] = world.margin.events(receipt, "CollateralSeized")
    [credited] = world.margin.events(receipt, "AuctionProceedsCredited")
    assert seized.log_index < called.log_index < credited.log_index
    assert tuple(credited.args) == (auction, callee.address, paid, 315 * WAD)
    assert world.usdb.call("balanceOf", callee.address) == usdb - paid


def test_callback__cannot_pay__undoes_everything(world, auction, callee, refuses):
    world.freeze()
    contract = world.deploy("ReentrantCallee")
    world.freeze()
    with refuses("ERC20InsufficientAllowance", world.custody.address, 0, 315 * 10**6):
        contract.transact(
            "take",
            world.liquidation.address,
            auction,
            WETH,
            WAD // 10,
            [],
            sender=world.address("bob"),
        )
    assert world.margin.call("collateralBalance", auction, WETH) == 38 * WAD // 100
    assert world.weth.call("balanceOf", contract.address) == 0


def test_callback__data_for_a_receiver_without_code__refused(world, auction, refuses):
    bob = world.address("bob")
    with refuses(""):
        world.liquidation.call(
            "takeAuction", auction, WETH, WAD // 10, TOP, bob, b"data", sender=bob
        )


def test_callback__lock_afterwards__is_free(world, auction, callee):
    callee.transact(
        "take",
        world.liquidation.address,
        auction,
        WETH,
        WAD // 100,
        attempts_of(world, callee, STATE_CHANGING),
        sender=world.address("bob"),
        gas=15_000_000,
    )
    assert world.margin.call("isLocked") is False
    world.deposit("bob", 1)
