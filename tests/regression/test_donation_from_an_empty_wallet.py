"""A donation was not expected to be refused where the wallet is empty."""

from __future__ import annotations

from bulkhead.fuzz.testing import check


def test_donation__wallet_is_empty__is_refused_by_the_token() -> None:
    judged = check(
        "suite",
        [
            {
                "kind": "Deposit",
                "actor": 0,
                "sub": 0,
                "collateral": 0,
                "how": 22,
                "share": 10_000,
            },
            {"kind": "Donate", "actor": 0, "collateral": 0, "target": 0, "share": 10_500},
        ],
    )
    assert judged[-1].result == "ERC20InsufficientBalance"
