"""The run in one paragraph, and in a handful of numbers."""

from __future__ import annotations

from decimal import Decimal

from bulkhead.report.record import RunRecord

Tile = tuple[str, str, str]
"""Number, label, tone (``good``, ``bad`` or empty)."""


def story(record: RunRecord) -> str:
    """Return the run as one paragraph."""
    s = record.summary
    hours = record.series["hours"][-1] if record.series["hours"] else 0.0
    sentences = [
        f"Over {hours:.0f} hours of chain time the collateral's market fell to "
        f"{s['max_discount_bps'] / 100:.1f} % below what it redeems for, while ETH lost "
        f"{s['eth_fall_bps'] / 100:.0f} %.",
        f"Of {_some(s['traders'], 'leveraged trader')}, {s['unhealthy_accounts']} fell below "
        f"maintenance: keepers made {_some(s['liquidations'], 'liquidation')} worth "
        f"{_units(s['liquidated_notional'])} USDB and sold collateral for "
        f"{_units(s['auction_payments'])} USDB through {_some(s['auctions'], 'auction')} into real "
        "Uniswap pools, which moved the very price they read next.",
    ]
    if Decimal(s["bad_debt"]) > 0:
        sentences.append(
            f"{_units(s['bad_debt'])} USDB of debt had nothing left behind it: the insurance fund "
            f"paid {_units(s['insurance_paid'])}, liquidity providers {_units(s['lp_loss'])}, "
            f"junior profit {_units(s['junior_loss'])}."
        )
    else:
        sentences.append("No debt was left uncovered.")
    sentences.append(
        f"The circuit breaker went as far as tier {s['max_tier']} and ended at "
        f"{s['final_tier']}; profit was covered to {100 * float(s['haircut_ratio_min']):.1f} % at "
        "the worst moment. Nobody's principal was touched."
        if not _broken(record)
        else f"Broken: {', '.join(_broken(record))}."
    )
    return " ".join(sentences)


def headline_numbers(record: RunRecord) -> list[Tile]:
    """Return the tiles at the top of the page."""
    s = record.summary
    broken = _broken(record)
    checks = sum(item["checks"] for item in record.invariants)
    return [
        (f"{s['max_discount_bps'] / 100:.1f} %", "deepest discount of the collateral", ""),
        (f"{s['eth_fall_bps'] / 100:.0f} %", "fall of ETH, top to bottom", ""),
        (f"{s['liquidations']:,}", f"liquidations, {_units(s['liquidated_notional'])} USDB", ""),
        (f"{s['auctions']:,}", f"auctions, {_units(s['auction_payments'])} USDB paid", ""),
        (_units(s["bad_debt"]), "USDB of bad debt", "bad" if Decimal(s["bad_debt"]) else "good"),
        (_units(s["insurance_paid"]), "of it paid by insurance", ""),
        (f"{100 * float(s['haircut_ratio_min']):.1f} %", "lowest cover of profit (h)", ""),
        (f"tier {s['max_tier']}", f"highest; tier {s['final_tier']} at the end", ""),
        (f"{s['transactions']:,}", f"transactions in {s['blocks']:,} blocks", ""),
        (
            f"{len(broken)} broken" if broken else "all held",
            f"{len(record.invariants)} invariants, {checks:,} checks",
            "bad" if broken else "good",
        ),
    ]


def _broken(record: RunRecord) -> list[str]:
    return [item["id"] for item in record.invariants if item["result"] == "broken"]


def _units(text: str) -> str:
    """Return a decimal string rounded to whole units, with separators."""
    return f"{Decimal(text):,.0f}"


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
