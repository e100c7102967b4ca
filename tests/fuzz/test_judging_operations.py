"""Operations that judge their own outcomes: round trips, and that everybody can leave."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.suite import leaving, oracles
from bulkhead.fuzz.suite.leaving import CalmDown, EveryoneCloses, EveryoneLeaves
from bulkhead.fuzz.suite.market_operations import MovePrice, Wait
from bulkhead.fuzz.suite.token_operations import Misbehave
from bulkhead.fuzz.suite.trips import RoundTrip, VaultRoundTrip
from bulkhead.fuzz.suite.user_operations import Deposit
from bulkhead.model.types import Position

CALM = (CalmDown(),) * 7
EXODUS = (*CALM, EveryoneCloses(), *CALM, EveryoneLeaves())


def kinds(judged) -> set[str]:
    return {f"{j.call.contract}.{j.call.function}" for j in judged}


class TestRoundTrip:
    """PNL-2."""

    @pytest.mark.parametrize("market", [0, 1])
    @pytest.mark.parametrize("sells", [0, 1])
    @pytest.mark.parametrize("parts", [0, 1])
    @pytest.mark.parametrize("near", range(6))
    def test_there_and_back_in_one_second(self, suite, market, sells, parts, near):
        judged = suite.run([RoundTrip(market, sells, near, parts, 9_000)])
        trades = [j for j in judged if j.call.function == "trade"]
        assert len({j.timestamp for j in trades}) == 1
        assert all(j.accepted for j in trades)
        assert len(trades) == (2 if parts == 0 or abs(trades[0].call.args[2]) == 1 else 3)
        assert sum(j.call.args[2] for j in trades) == 0

    def trip(self, *realized: int, left: int = 0, accepted: bool = True):
        """Judged trades of a prober who is flat before them."""
        flat = SimpleNamespace(snapshot=SimpleNamespace(positions={}, accounts={}))
        positions = {(7, 0): Position(left)} if left else {}
        end = SimpleNamespace(snapshot=SimpleNamespace(positions=positions, accounts={}))
        return [
            SimpleNamespace(
                before=flat,
                after=end,
                accepted=accepted,
                returned=SimpleNamespace(realizedPnl=pnl),
            )
            for pnl in realized
        ]

    def verdict(self, trades) -> list[str]:
        universe = SimpleNamespace(prober=7)
        operation = RoundTrip(0, 0, 0, 0, 10_000)
        return [v.id for v in operation.verdict(universe, trades)]

    def test_a_profit_is_a_violation(self):
        assert self.verdict(self.trip(0, 1)) == ["PNL-2"]
        assert self.verdict(self.trip(-5, 3, 3)) == ["PNL-2"]

    def test_a_loss_is_none(self):
        assert self.verdict(self.trip(0, -1)) == []
        assert self.verdict(self.trip(0, 0)) == []

    def test_half_a_trip_says_nothing(self):
        assert self.verdict(self.trip(0, 1, left=5)) == []
        assert self.verdict(self.trip(0, 1, accepted=False)) == []
        assert self.verdict([]) == []


class TestVaultRoundTrip:
    """VLT-1."""

    @pytest.mark.parametrize("where", range(4))
    @pytest.mark.parametrize("exactly", range(4))
    def test_in_and_out_in_one_second(self, suite, where, exactly):
        judged = suite.run([VaultRoundTrip(where, exactly, 0, 0, 10_000)])
        assert len({j.timestamp for j in judged}) == 1
        asks = ("requestRedeem",) if where == 0 else ()
        assert tuple(j.call.function for j in judged[1:-1]) == asks
        assert all(j.accepted for j in judged)

    def test_more_out_than_in_is_a_violation(self, suite):
        operation = VaultRoundTrip(0, 0, 0, 0, 10_000)
        there, asked, back = suite.run([operation])
        assert list(operation.verdict(suite.target, [there, asked, back])) == []
        there.call = Call(there.call.sender, there.call.contract, "deposit", (1, there.call.sender))
        found = list(operation.verdict(suite.target, [there, asked, back]))
        assert [v.id for v in found] == ["VLT-1"]


class TestEveryoneLeaves:
    """EXIT-1."""

    @pytest.mark.parametrize("number", range(len(oracles.OPENINGS)))
    def test_after_any_opening_everybody_gets_out(self, suite, universe, number):
        judged = suite.run([*oracles.OPENINGS[number], *EXODUS])
        end = judged[-1].after.snapshot
        assert not end.positions
        assert not any(end.collateral.values())
        assert all(0 <= a.cash < 10**12 and a.claim == 0 for a in end.accounts.values())
        assert "MarginEngine.withdraw" in kinds(judged)
        for vault in (universe.model.liquidity_vault, universe.model.insurance_fund):
            for person in (*universe.actors, universe.keeper, universe.staker):
                assert vault.preview_redeem(vault.balance_of(person)) == 0

    def test_in_trouble_nobody_is_asked_to_leave(self, suite):
        fall = MovePrice(asset=0, factor=16, poke=7)
        judged = suite.run([fall, EveryoneCloses(), EveryoneLeaves()])
        assert not {"MarginEngine.withdraw", "PerpExchange.trade"} & kinds(judged)

    def test_calm_comes_back_after_a_halt_and_a_hostile_token(self, suite):
        trouble = (
            Deposit(0, 0, 4, 0, 10_000),
            Misbehave(what=4, level=4, who=0, use=0),
            Misbehave(what=2, level=3, who=0, use=1),
            MovePrice(asset=0, factor=16, poke=7),
            Wait(how_long=1, silent=0),
            MovePrice(asset=0, factor=0, poke=7),  # The same, seen again: now it is a signal.
            Wait(how_long=0, silent=0),
        )
        judged = suite.run([*trouble, *EXODUS])
        assert any(j.after.tier == 4 for j in judged)
        assert "MarginEngine.withdraw" in kinds(judged)

    def test_somebody_who_stays_behind_is_a_violation(self, suite, monkeypatch):
        first = suite.target.accounts[0]
        withdraw_all = leaving._withdraw_all
        monkeypatch.setattr(
            leaving, "_withdraw_all", lambda u, a: withdraw_all(u, a) if a != first else iter(())
        )
        with pytest.raises(Disagreement) as found:
            suite.run(EXODUS)
        assert found.value.oracle == "EXIT-1"

    def test_a_position_that_stays_open_is_a_violation(self, suite, monkeypatch):
        monkeypatch.setattr(
            leaving, "_close", lambda u, account, market: Call(u.keeper, "CircuitBreaker", "poke")
        )
        with pytest.raises(Disagreement) as found:
            suite.run(EXODUS)
        assert found.value.oracle == "EXIT-1"

    def test_a_refusal_on_the_way_out_is_a_failure(self):
        assert not EveryoneCloses.refusals
        assert not EveryoneLeaves.refusals

    def test_leaving_stays_within_what_a_sequence_may_have(self, universe):
        for number in range(7, 8 * 20, 8):
            deposits = [Deposit(i % 4, i % 2, i % 5, 0, 10_000) for i in range(60)]
            played = generate(universe, [*deposits, *universe.epilogue(number)]).played
            assert len(played) <= leaving.MOST_CALLS
