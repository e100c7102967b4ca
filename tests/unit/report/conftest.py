"""A small run, made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.report.record import COLUMNS, RunRecord

WAD = 10**18


@pytest.fixture
def record() -> RunRecord:
    """Four blocks, one liquidation, one rise of the breaker, one write-off."""
    series: dict[str, list[Any]] = {name: [1.0, 1.0, 0.9, 1.0] for name in COLUMNS}
    series |= {
        "block": [1, 2, 3, 4],
        "step": [0, 0, 1, 1],
        "hours": [0.0, 0.5, 1.0, 1.5],
        "tier": [0, 2, 2, 1],
        "liquidations": [0, 1, 0, 0],
    }
    summary = {
        "scenario": "depeg-cascade",
        "status": "complete",
        "seed": 7,
        "steps": 2,
        "traders": 3,
        "severity": 0.5,
        "duration_seconds": 1.0,
        "blocks": 4,
        "transactions": 40,
        "refused": 2,
        "liquidations": 1,
        "liquidated_notional": "12345.6",
        "unhealthy_accounts": 1,
        "auctions": 1,
        "auction_payments": "900",
        "max_discount_bps": 1234,
        "eth_fall_bps": 2800,
        "max_tier": 2,
        "final_tier": 1,
        "bad_debt": "100.5",
        "insurance_paid": "100.5",
        "lp_loss": "0",
        "junior_loss": "0",
        "haircut_ratio_min": "0.9",
    }
    flows = {
        "opening balance": {"principal": str(100 * WAD), "pool": str(50 * WAD)},
        "trading losses": {"principal": str(-7 * WAD), "pool": str(7 * WAD)},
        "closing balance": {"principal": str(93 * WAD), "pool": str(57 * WAD)},
        "surplus": {"custody": "3"},
    }
    losses = {
        "total": str(1_000 * WAD),
        "from_claim": "0",
        "from_cash": str(700 * WAD),
        "outstanding": str(199 * WAD),
        "insurance": str(101 * WAD),
        "nobody": "0",
    }
    return RunRecord(
        scenario="depeg-cascade",
        title="Depeg <cascade> & more",
        summary=summary,
        series=series,
        flows=flows,
        collateral=[
            {
                "token": "WBTC",
                "decimals": 8,
                "opening": "150000000",
                "deposited": "0",
                "withdrawn": "-50000000",
                "auctioned": "0",
                "forfeited": "0",
                "closing": "100000000",
                "custody": "100000000",
            }
        ],
        losses=losses,
        refusals={"CircuitBreaker_Blocked": {"withdraw": 2}},
        invariants=[
            {"id": "CUS-1", "description": "covered", "checks": 8, "result": "held", "first": ""}
        ],
        tier_changes=[
            {"block": 2, "hours": 0.5, "from": 0, "to": 2, "cause": "bad debt", "value": "100.5"}
        ],
        notes={"prices of ETH": "generated, seed 7"},
    )
