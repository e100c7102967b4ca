"""At an index of next to nothing a sale goes beyond the price curve, which is refused by name."""

from __future__ import annotations

from bulkhead.fuzz.testing import check


def test_sale_beyond_the_curve__is_refused_by_its_own_error() -> None:
    judged = check(
        "suite",
        [
            {
                "kind": "Deposit",
                "actor": 1,
                "sub": 1,
                "collateral": 0,
                "how": 0,
                "share": 10_000,
            },
            # Both feeds report the least that their adapters let through.
            {"kind": "BadRound", "feed": 0, "what": 9, "both": 3, "who": 0},
            # So far from the price before that it has to be seen again, a minute later.
            {"kind": "MovePrice", "asset": 1, "factor": 0, "poke": 4},
            {"kind": "Wait", "how_long": 1, "silent": 0},
            {
                "kind": "Trade",
                "actor": 5,
                "market": 1,
                "mode": 2,
                "tolerance": 0,
                "stray": 15,
                "share": 10_000,
            },
        ],
    )
    assert judged[-1].result == "SkewPricing_NonPositivePrice"
