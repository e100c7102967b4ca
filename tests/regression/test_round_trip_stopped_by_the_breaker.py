"""A margin round trip was not expected to find withdrawals blocked a moment after its deposit."""

from __future__ import annotations

from bulkhead.fuzz.testing import check


def test_margin_round_trip__breaker_steps_in_between__is_refused_by_name() -> None:
    judged = check(
        "suite",
        [
            {"kind": "Misbehave", "what": 7, "level": 5, "who": 0, "use": 0},
            {"kind": "Wait", "how_long": 3, "silent": 14},
            {
                "kind": "VaultRoundTrip",
                "where": 3,
                "exactly": 0,
                "collateral": 4,
                "actor": 0,
                "share": 10_000,
            },
        ],
    )
    assert [j.call.function for j in judged[-2:]] == ["deposit", "withdraw"]
    assert judged[-1].result == "CircuitBreaker_Blocked"
