"""Operators and batches in the model: what the chain's tests and campaigns do not reach."""

from __future__ import annotations

import pytest

from bulkhead.model import eip712
from bulkhead.model.margin_batch import CallTarget, InnerCall
from bulkhead.model.operators import ALL, DEPOSIT, TRADE, WITHDRAW
from bulkhead.model.reverts import (
    AccountOperators_InvalidSignature,
    AccountOperators_NonceUsed,
    MarginEngine_CallCount,
    MarginEngine_InvalidActor,
    MarginEngine_NestedBatch,
    MarginEngine_Simulated,
)
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, address, pack
from bulkhead.model.world import World

KEY = "0x" + "00" * 31 + "01"
SIGNER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
ALICE, BOB = address(0xA), address(0xB)
ACCOUNT = pack(ALICE)


@pytest.fixture
def world():
    """A compartment in which Alice has ten units."""
    world = World()
    world.fund(ALICE, 100)
    world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 10)
    return world


def engine(function, *args):
    return InnerCall(CallTarget.MARGIN_ENGINE, function, args)


class TestSignatures:
    def test_recover_undoes_sign_and_knows_what_is_none(self):
        message = bytes(range(32))
        signature = eip712.sign(KEY, message)
        assert eip712.recover(message, signature) == SIGNER
        assert eip712.recover(bytes(32), signature) != SIGNER
        for bad in (b"", signature[:64], signature[:64] + b"\x00", bytes(65), b"\xff" * 65):
            assert eip712.recover(message, bad) == ZERO_ADDRESS

    def test_an_owner_with_code_is_asked_for_what_was_signed(self, world):
        operators, asked = world.account_operators, []
        grant = (ACCOUNT, BOB, ALL, world.now + 9, 3, world.now)

        def answer(message, signature):
            asked.append((message, signature))
            return signature == b"yes"

        operators.signers[ALICE] = answer
        with pytest.raises(AccountOperators_InvalidSignature):
            operators.set_operator_by_signature(BOB, *grant, b"no")
        assert operators.permissions_of(ACCOUNT, BOB) == 0
        assert not operators.is_nonce_used(ALICE, 3)
        operators.set_operator_by_signature(BOB, *grant, b"yes")
        assert asked == [(operators.digest(*grant), answer) for answer in (b"no", b"yes")]
        assert operators.permissions_of(ACCOUNT, BOB) == ALL
        with pytest.raises(AccountOperators_NonceUsed):
            operators.set_operator_by_signature(BOB, *grant, b"yes")


class TestBatches:
    def test_results_come_in_order_and_the_actor_is_forgotten(self, world):
        account = world.margin_engine
        calls = [engine("deposit", ACCOUNT, SETTLEMENT, 5), engine("actor_is_alice")]
        with pytest.raises(AttributeError):
            account.batch(ALICE, [ACCOUNT], calls)
        assert account.account_ledger(ACCOUNT).cash == 10 * 10**12
        assert account.actor() == ZERO_ADDRESS
        assert account.batch(ALICE, [ACCOUNT], calls[:1]) == [None]
        assert account.account_ledger(ACCOUNT).cash == 15 * 10**12
        assert account.actor() == ZERO_ADDRESS

    def test_a_batch_in_a_batch_is_refused(self, world):
        inner = engine("batch", [], [engine("deposit", ACCOUNT, SETTLEMENT, 5)])
        with pytest.raises(MarginEngine_NestedBatch):
            world.margin_engine.batch(ALICE, [], [inner])
        with pytest.raises(MarginEngine_CallCount):
            world.margin_engine.batch(ALICE, [], [])

    def test_a_simulation_says_and_undoes(self, world):
        calls = [engine("deposit", ACCOUNT, SETTLEMENT, 5)]
        with pytest.raises(MarginEngine_Simulated) as caught:
            world.margin_engine.simulate(BOB, ALICE, [ACCOUNT], calls)
        results, [valuation] = caught.value.args
        assert (results, valuation.equity_initial) == ([None], 15 * 10**12)
        assert world.margin_engine.account_ledger(ACCOUNT).cash == 10 * 10**12
        with pytest.raises(MarginEngine_InvalidActor):
            world.margin_engine.simulate(BOB, ZERO_ADDRESS, [ACCOUNT], calls)

    def test_permissions_are_single_bits_that_add_up(self):
        assert (DEPOSIT, TRADE, WITHDRAW) == (1, 2, 4)
