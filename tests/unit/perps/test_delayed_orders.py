"""Orders settled at a later price: who may do what when, what is paid, and why one is dropped."""

from __future__ import annotations

import pytest

WAD = 10**18
FEE = WAD // 2
ANY, FOREVER = 2**128 - 1, 2**40 - 1
REDUCE_ONLY, ABOVE = 1, 2
TRADE, MANAGE_ORDERS = 2, 16
(FILLED, CANCELLED, EXPIRED, LATE, UNCERTAIN, PRICE, CAP, NOTHING, BLOCKED, MARGIN) = range(10)


@pytest.fixture
def commit(world):
    """Commit to an order at any price, for ever; return its id."""

    def _commit(who, size, *, by=None, limit=None, at=0, until=FOREVER, flags=0, market=0):
        acceptable = (ANY if size > 0 else 0) if limit is None else limit
        args = (world.account(who), market, size, acceptable, at, until, flags)
        world.delayed.transact("commit", *args, sender=world.address(by or who))
        return world.delayed.call("orderCount")

    return _commit


@pytest.fixture
def settle(world):
    """Settle an order for the keeper; return the arguments of ``OrderClosed``."""

    def _settle(order_id, by="keeper"):
        receipt = world.delayed.transact(
            "settle", order_id, world.account("keeper"), sender=world.address(by)
        )
        return world.delayed.events(receipt, "OrderClosed")[0].args

    return _settle


@pytest.fixture
def set_orders(world):
    def _set_orders(**changes):
        parameters = {**world.risk.call("orderParameters")._asdict(), **changes}
        world.risk.transact("setOrders", parameters, sender=world.governor)

    return _set_orders


class TestCommit:
    def test_the_fee_goes_into_escrow(self, world, fund, commit):
        fund("alice")
        before, surplus = world.totals(), world.surplus()
        order_id = commit("alice", 3 * WAD, limit=3_100 * WAD)
        assert order_id == 1
        assert tuple(world.delayed.call("order", 1)) == (
            *(world.account("alice"), 3 * WAD, 3_100 * WAD, FEE),
            *(world.now + 1, world.now + 60, world.now + 3_600, 0, 0, 0),
        )
        assert world.totals() == before._replace(
            principal=before.principal - FEE, feeReserve=before.feeReserve + FEE
        )
        assert world.margin.call("orderEscrow") == FEE
        assert world.surplus() == surplus

    def test_bad_terms_are_refused(self, world, fund, commit, set_orders, refuses):
        fund("alice")
        set_orders(minDelay=10)
        before = world.totals()
        with refuses("DelayedOrders_ZeroSize"):
            commit("alice", 0)
        with refuses("DelayedOrders_SizeTooLarge", -(10**36) - 1, 10**36):
            commit("alice", -(10**36) - 1)
        with refuses("DelayedOrders_UnknownFlags", ABOVE, REDUCE_ONLY):
            commit("alice", WAD, flags=ABOVE)
        with refuses("DelayedOrders_UnknownFlags", 4, 3):
            commit("alice", WAD, at=WAD, flags=4)
        with refuses("DelayedOrders_TriggerMustReduce", ABOVE):
            commit("alice", WAD, at=WAD, flags=ABOVE)
        soon = world.now + 10
        with refuses("DelayedOrders_ExpiresTooSoon", soon, soon + 1):
            commit("alice", WAD, until=soon)
        with refuses("RiskParameters_UnknownMarket", 7):
            commit("alice", WAD, market=7)
        with refuses("MarginEngine_InsufficientCash", 0, FEE):
            commit("bob", WAD)
        assert (world.delayed.call("orderCount"), world.totals()) == (0, before)

    def test_only_who_may_trade(self, world, fund, commit, refuses):
        fund("alice")
        world.grant("alice", "bob", MANAGE_ORDERS)
        bob = world.address("bob")
        with refuses("AccountOperators_NotAuthorized", world.account("alice"), bob, TRADE):
            commit("alice", WAD, by="bob")
        world.grant("alice", "bob", TRADE)
        commit("alice", WAD, by="bob")
        assert world.delayed.call("order", 1).account == world.account("alice")

    def test_fees_cannot_take_what_a_position_needs(self, world, commit, set_orders, refuses):
        """Or an account on its way down could be emptied by orders that a friend settles."""
        world.deposit("alice", 10_000 * 10**6)
        world.trade("alice", 30 * WAD)
        set_orders(executorFee=1_000 * WAD)
        with refuses("MarginEngine_BelowInitialMargin"):
            for _ in range(10):
                commit("alice", -WAD, flags=REDUCE_ONLY)
        v = world.valuation("alice")
        assert v.equityInitial >= v.initialMargin

    @pytest.mark.parametrize(("tier", "flags"), [(2, 0), (4, REDUCE_ONLY)])
    def test_the_tier_has_to_allow_it(self, world, fund, commit, refuses, tier, flags):
        fund("alice")
        world.raise_tier(tier)
        with refuses("CircuitBreaker_Blocked"):
            commit("alice", WAD, flags=flags)

    def test_margin_stays_while_an_order_may_raise_risk(self, world, fund, commit, settle, refuses):
        """Or whoever sees a bad price coming takes it away, and the order is dropped for that."""
        fund("alice")
        account, alice = world.account("alice"), world.address("alice")
        commit("alice", -WAD, flags=REDUCE_ONLY)
        world.margin.transact("withdraw", account, 0, 1, alice, sender=alice)
        raising = commit("alice", WAD)
        commit("alice", WAD)
        with refuses("MarginEngine_OrdersOpen", account, 2):
            world.margin.transact("withdraw", account, 0, 1, alice, sender=alice)
        with refuses("MarginEngine_OrdersOpen", account, 2):
            to = world.account("alice", 1)
            world.margin.transact("transfer", account, to, 0, 1, sender=alice)
        world.quote("ETH", 3_000 * WAD)
        settle(raising)
        assert world.margin.call("raisingOrders", account) == 1
        settle(raising + 1)
        world.margin.transact("withdraw", account, 0, 1, alice, sender=alice)

    def test_without_a_fee_margin_stays_too(self, world, fund, commit, settle, set_orders):
        fund("alice")
        set_orders(executorFee=0)
        order_id = commit("alice", WAD)
        account = world.account("alice")
        assert world.margin.call("raisingOrders", account) == 1
        assert world.margin.call("orderEscrow") == 0
        world.quote("ETH", 3_000 * WAD)
        assert settle(order_id).outcome == FILLED
        assert world.margin.call("raisingOrders", account) == 0


class TestSettle:
    def test_at_the_first_price_after_it_whatever_the_price_is_now(
        self, world, fund, commit, settle, curve, fee_of
    ):
        fund("alice")
        order_id = commit("alice", 3 * WAD)
        world.quote("ETH", 3_030 * WAD)
        pinned = curve()
        world.delayed.transact("fix", 0, sender=world.address("carol"))
        world.quote("ETH", 2_990 * WAD)
        before, surplus = world.totals(), world.surplus()
        closed = settle(order_id)
        cost = pinned.cost(0, 3 * WAD)
        assert tuple(closed) == (
            *(order_id, world.account("alice"), FILLED, world.account("keeper"), FEE),
            3_030 * WAD,
        )
        assert tuple(world.position("alice"))[:2] == (3 * WAD, cost)
        assert world.ledger("keeper").cash == FEE
        assert world.ledger("alice").cash == 3_000_000 * WAD - FEE - fee_of(cost)
        # U_m is reckoned at the index of now: what the trader paid too much is the pool's.
        u = world.margin.call("marketUnrealized", 0).unrealized
        assert u == curve().close_out(3 * WAD, cost) < -119 * WAD
        after = world.totals()
        assert after.principal + fee_of(cost) == before.principal + FEE
        assert (world.margin.call("orderEscrow"), world.surplus()) == (0, surplus)
        assert world.delayed.call("order", order_id).account == bytes(32)

    def test_not_before_a_price_is_late_enough_to_the_second(
        self, world, fund, commit, settle, set_orders, refuses
    ):
        fund("alice")
        set_orders(minDelay=10)
        order_id = commit("alice", WAD)
        start = world.now + 10
        feeds = [n for n in world.book.feeds if n.rpartition("-")[0] == "ETH"]
        for at, late in ((start - 1, False), (start, True)):
            for feed in feeds:
                world.rpc.set_next_timestamp(max(at, world.now))
                world._named(feed).transact("setAnswer", 3_000 * 10**8, sender=world.governor)
            if late:
                assert settle(order_id).outcome == FILLED
            else:
                world.freeze()
                with refuses("DelayedOrders_TooEarly", start - 1, start):
                    settle(order_id)

    def test_nothing_settles_in_a_halt_and_nothing_is_dropped(
        self, world, fund, commit, settle, refuses
    ):
        fund("alice")
        order_id = commit("alice", WAD)
        world.quote("ETH", 3_000 * WAD)
        world.raise_tier(4)
        with refuses("CircuitBreaker_Blocked"):
            settle(order_id)
        assert world.delayed.call("order", order_id).sizeDelta == WAD

    @pytest.mark.parametrize("status", [0, 1])
    def test_a_price_that_is_not_confirmed_has_to_wait(
        self, world, fund, commit, settle, refuses, status
    ):
        fund("alice")
        order_id = commit("alice", WAD)
        world.worsen("ETH", status)
        with refuses("ActionPolicy_PriceStatus", 3, status, 2):
            settle(order_id)

    def test_what_cannot_be_told_yet_drops_nothing(self, world, fund, commit, settle, refuses):
        """Its price was good; the index of now, at which margin is reckoned, is not."""
        fund("alice")
        order_id = commit("alice", WAD)
        world.quote("ETH", 3_000 * WAD)
        world.delayed.transact("fix", 0, sender=world.address("carol"))
        world.degrade("ETH")
        with refuses("ActionPolicy_PriceStatus", 2, 2, 3):
            settle(order_id)
        assert world.delayed.call("order", order_id).sizeDelta == WAD

    def test_too_little_gas_never_drops_an_order(self, world, fund, commit, refuses):
        fund("alice")
        order_id = commit("alice", WAD)
        world.quote("ETH", 3_000 * WAD)
        args = (order_id, world.account("keeper"))
        keeper = world.address("keeper")
        snapshot = world.rpc.snapshot()
        used = world.delayed.transact("settle", *args, sender=keeper).gas_used
        outcomes = set()
        for gas in range(60_000, used + 40_000, 20_000):
            world.rpc.revert(snapshot)
            snapshot = world.rpc.snapshot()
            receipt = world.delayed.transact(
                "settleMany", [order_id], world.account("keeper"), sender=keeper, gas=gas + 30_000
            )
            closed = world.delayed.events(receipt, "OrderClosed")
            outcomes.add(closed[0].args.outcome if closed else None)
        assert outcomes == {None, FILLED}

    def test_many_at_once_pass_over_those_that_cannot_be(self, world, fund, commit):
        fund("alice", "bob")
        first, second = commit("alice", WAD), commit("bob", -2 * WAD)
        waiting = commit("alice", -WAD, at=1, flags=REDUCE_ONLY)
        world.quote("ETH", 3_010 * WAD)
        late = commit("alice", WAD)
        ids = [99, waiting, first, late, second]
        args = (ids, world.account("keeper"))
        receipt = world.delayed.transact("settleMany", *args, sender=world.address("carol"))
        closed = [e.args.orderId for e in world.delayed.events(receipt, "OrderClosed")]
        assert closed == [first, second]
        assert world.ledger("keeper").cash == 2 * FEE
        assert world.delayed.call("order", late).account == world.account("alice")


class TestDropped:
    """Whatever keeps an order from being filled closes it, and the keeper is paid."""

    def _dropped(self, world, settle, order_id, outcome):
        position, cash = tuple(world.position("alice")), world.ledger("alice").cash
        keeper = world.ledger("keeper").cash
        assert settle(order_id).outcome == outcome
        assert world.ledger("keeper").cash == keeper + FEE
        assert (tuple(world.position("alice")), world.ledger("alice").cash) == (position, cash)
        assert world.delayed.call("order", order_id).account == bytes(32)
        assert world.margin.call("orderEscrow") == 0

    @pytest.mark.parametrize(("more", "outcome"), [(0, FILLED), (-1, PRICE)])
    def test_price(self, world, fund, commit, settle, curve, more, outcome):
        fund("alice")
        world.quote("ETH", 3_000 * WAD)
        order_id = commit("alice", WAD, limit=curve().price(0, WAD) + more)
        world.quote("ETH", 3_000 * WAD)
        if outcome == FILLED:
            assert settle(order_id).outcome == FILLED
        else:
            self._dropped(world, settle, order_id, outcome)

    def test_cap(self, world, fund, commit, settle):
        fund("alice")
        order_id = commit("alice", 2 * WAD)
        world.set_market(0, maxOpenInterest=WAD)
        world.quote("ETH", 3_000 * WAD)
        self._dropped(world, settle, order_id, CAP)

    def test_margin(self, world, commit, settle):
        world.deposit("alice", 1_000 * 10**6)
        order_id = commit("alice", 1_000 * WAD)
        world.quote("ETH", 3_000 * WAD)
        self._dropped(world, settle, order_id, MARGIN)

    def test_tier(self, world, fund, commit, settle):
        fund("alice")
        order_id = commit("alice", WAD)
        world.quote("ETH", 3_000 * WAD)
        world.raise_tier(2)
        self._dropped(world, settle, order_id, BLOCKED)

    @pytest.mark.parametrize("size", [0, WAD])
    def test_nothing_to_reduce(self, world, fund, commit, settle, size):
        fund("alice")
        if size:
            world.trade("alice", size)
        order_id = commit("alice", WAD, flags=REDUCE_ONLY)
        world.quote("ETH", 3_000 * WAD)
        self._dropped(world, settle, order_id, NOTHING)

    def test_expired(self, world, fund, commit, settle):
        fund("alice")
        order_id = commit("alice", WAD, until=world.now + 100)
        world.quote("ETH", 3_000 * WAD)
        world.skip(100)
        self._dropped(world, settle, order_id, EXPIRED)

    def test_late(self, world, fund, commit, settle):
        fund("alice")
        order_id = commit("alice", WAD)
        world.quote("ETH", 3_000 * WAD)
        world.delayed.transact("fix", 0, sender=world.address("carol"))
        world.skip(60)
        self._dropped(world, settle, order_id, LATE)

    def test_reduces_only_what_there_is(self, world, fund, commit, settle):
        fund("alice")
        world.trade("alice", 2 * WAD)
        order_id = commit("alice", -5 * WAD, flags=REDUCE_ONLY)
        world.quote("ETH", 3_000 * WAD)
        assert settle(order_id).outcome == FILLED
        assert world.position("alice").size == 0


class TestTrigger:
    @pytest.mark.parametrize(("flags", "near"), [(REDUCE_ONLY, -1), (REDUCE_ONLY | ABOVE, 1)])
    def test_at_the_price_and_settled_at_a_later_one(
        self, world, fund, commit, settle, refuses, flags, near
    ):
        fund("alice")
        world.trade("alice", 2 * WAD)
        target = (3_000 + 20 * near) * WAD
        order_id = commit("alice", -WAD, at=target, flags=flags)
        assert world.delayed.call("order", order_id).settleFrom == 0
        unit = 10**10
        world.quote("ETH", target - near * unit)
        with refuses("DelayedOrders_NotReached", target - near * unit, target):
            world.delayed.transact("trigger", order_id, sender=world.address("carol"))
        with refuses("DelayedOrders_NotTriggered", order_id):
            settle(order_id)
        world.quote("ETH", target)
        world.delayed.transact("trigger", order_id, sender=world.address("carol"))
        triggered = world.now
        o = world.delayed.call("order", order_id)
        times = (triggered + 1, triggered + 60, triggered + 3_600)
        assert (o.settleFrom, o.cancelFrom, o.expiresAt) == times
        with refuses("DelayedOrders_TooEarly"):
            settle(order_id)
        with refuses("DelayedOrders_AlreadyBinding", order_id, o.settleFrom):
            world.delayed.transact("trigger", order_id, sender=world.address("carol"))
        world.quote("ETH", 2_995 * WAD)
        assert tuple(settle(order_id))[2:] == (FILLED, world.account("keeper"), FEE, 2_995 * WAD)

    def test_not_after_its_time(self, world, fund, commit, settle, refuses):
        fund("alice")
        until = world.now + 100
        order_id = commit("alice", -WAD, at=4_000 * WAD, flags=REDUCE_ONLY, until=until)
        world.skip(100)
        with refuses("DelayedOrders_Expired", until, world.now + 1):
            world.delayed.transact("trigger", order_id, sender=world.address("carol"))
        assert settle(order_id).outcome == EXPIRED


class TestCancel:
    def test_binding_until_its_time_and_then_only_if_no_price_is_out(
        self, world, fund, commit, refuses
    ):
        fund("alice")
        before = world.totals()
        order_id = commit("alice", WAD)
        start = world.now
        alice = world.address("alice")
        world.rpc.set_next_timestamp(start + 59)
        with refuses("DelayedOrders_Binding", start + 59, start + 60):
            world.delayed.transact("cancel", order_id, sender=alice)
        snapshot = world.rpc.snapshot()
        world.delayed.transact("cancel", order_id, sender=alice)
        assert world.totals() == before
        assert world.ledger("alice").cash == 3_000_000 * WAD
        world.rpc.revert(snapshot)
        world.quote("ETH", 3_000 * WAD)
        with refuses("DelayedOrders_Pinned"):
            world.delayed.transact("cancel", order_id, sender=alice)

    def test_a_trigger_at_any_time_by_who_manages_orders(self, world, fund, commit, refuses):
        fund("alice")
        order_id = commit("alice", -WAD, at=1, flags=REDUCE_ONLY)
        account, bob = world.account("alice"), world.address("bob")
        world.grant("alice", "bob", TRADE)
        with refuses("AccountOperators_NotAuthorized", account, bob, MANAGE_ORDERS):
            world.delayed.transact("cancel", order_id, sender=bob)
        world.grant("alice", "bob", MANAGE_ORDERS)
        receipt = world.delayed.transact("cancel", order_id, sender=bob)
        [closed] = world.delayed.events(receipt, "OrderClosed")
        assert tuple(closed.args)[1:5] == (account, CANCELLED, account, FEE)
        with refuses("DelayedOrders_UnknownOrder", order_id):
            world.delayed.transact("cancel", order_id, sender=bob)


class TestParts:
    def test_only_this_contract_fills_at_a_price_of_its_own(self, world, fund, refuses):
        fund("alice")
        args = (world.account("alice"), 0, WAD, ANY, WAD, False)
        for caller in (world.address("alice"), world.liquidation.address, world.margin.address):
            with refuses("PerpExchange_NotAuthorized", caller):
                world.perps.call("fillOrder", *args, sender=caller)

    def test_rewards_are_not_paid_out_of_escrow(self, world, fund, commit):
        fund("alice")
        commit("alice", WAD)
        reserve = world.totals().feeReserve
        args = (world.account("bob"), 0, world.account("carol"), reserve)
        world.margin.transact("chargePenalty", *args, sender=world.liquidation.address)
        assert world.ledger("carol").cash == reserve - FEE
        assert world.totals().feeReserve == FEE
