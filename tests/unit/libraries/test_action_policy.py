"""The two tables, cell by cell."""

from __future__ import annotations

import pytest

from bulkhead.model import policy
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import Action

STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
TABLE = {
    # action: (highest tier, worst price status)
    "Deposit": (4, STALE),
    "Withdraw": (2, VALID),
    "IncreasePosition": (1, VALID),
    "ReducePosition": (3, DEGRADED),
    "Convert": (2, DEGRADED),
    "Liquidate": (3, DEGRADED),
    "TakeAuction": (3, DEGRADED),
    "WriteOff": (3, DEGRADED),
    "PoolDeposit": (3, DEGRADED),
    "PoolWithdraw": (1, DEGRADED),
    "FundDeposit": (3, DEGRADED),
    "FundWithdraw": (1, DEGRADED),
    "Transfer": (3, VALID),
}
ACTIONS = list(TABLE)


@pytest.mark.parametrize("name", ACTIONS)
def test_max_tier__by_action__is_the_table(harness, name):
    assert harness.call("maxTier", ACTIONS.index(name)) == TABLE[name][0]


@pytest.mark.parametrize("name", ACTIONS)
def test_min_status__by_action__is_the_table(harness, name):
    assert harness.call("minStatus", ACTIONS.index(name)) == TABLE[name][1]


@pytest.mark.parametrize("status", range(4))
@pytest.mark.parametrize("name", ACTIONS)
def test_require_status__every_cell__is_the_table(harness, refuses, name, status):
    action, required = ACTIONS.index(name), TABLE[name][1]
    if status >= required:
        harness.call("requireStatus", action, status)
    else:
        with refuses("ActionPolicy_PriceStatus", action, status, required):
            harness.call("requireStatus", action, status)


@pytest.mark.parametrize("status", list(PriceStatus))
@pytest.mark.parametrize("action", list(Action))
def test_require_status__model__equals_the_table(action, status):
    required = TABLE[ACTIONS[action]][1]
    if status >= required:
        policy.require_status(action, status)
        return
    with pytest.raises(policy.ActionPolicy_PriceStatus) as caught:
        policy.require_status(action, status)
    assert caught.value.args == (action, status, required)


def test_table__actions__are_all_there_are(harness, refuses):
    with refuses(""):  # The ABI decoder refuses a number that no action has.
        harness.call("maxTier", len(ACTIONS))


def test_table__what_needs_a_price__needs_a_confirmed_one():
    """Adding margin is the only act that asks for none."""
    assert {name for name, (_, status) in TABLE.items() if status < DEGRADED} == {"Deposit"}


def test_table__liquidations__tolerate_more_than_openings_and_withdrawals():
    assert TABLE["Liquidate"][1] < TABLE["IncreasePosition"][1] <= TABLE["Withdraw"][1]


def test_table__adding_margin_and_reducing_risk__go_on_below_a_halt():
    for name in ("Deposit", "ReducePosition", "Liquidate", "TakeAuction", "WriteOff"):
        assert TABLE[name][0] >= 3
