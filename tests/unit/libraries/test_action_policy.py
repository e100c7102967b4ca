"""The two tables, cell by cell."""

from __future__ import annotations

import pytest

STALE, DEGRADED, VALID = 0, 1, 2
TABLE = {
    # action: (highest tier, worst price status)
    "Deposit": (4, DEGRADED),
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
}
ACTIONS = list(TABLE)


@pytest.mark.parametrize("name", ACTIONS)
def test_max_tier__by_action__is_the_table(harness, name):
    assert harness.call("maxTier", ACTIONS.index(name)) == TABLE[name][0]


@pytest.mark.parametrize("name", ACTIONS)
def test_min_status__by_action__is_the_table(harness, name):
    assert harness.call("minStatus", ACTIONS.index(name)) == TABLE[name][1]


def test_table__actions__are_all_there_are(harness, refuses):
    with refuses(""):  # The ABI decoder refuses a number that no action has.
        harness.call("maxTier", len(ACTIONS))


def test_table__nothing_that_needs_a_price__runs_on_a_stale_one():
    assert all(status > STALE for _, status in TABLE.values())


def test_table__adding_margin_and_reducing_risk__go_on_below_a_halt():
    for name in ("Deposit", "ReducePosition", "Liquidate", "TakeAuction", "WriteOff"):
        assert TABLE[name][0] >= 3
