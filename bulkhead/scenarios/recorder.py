"""Records a run block by block, and makes the run's record of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from bulkhead.agents.view import WAD, AccountState, MarketView
from bulkhead.report.record import COLUMNS, RunRecord
from bulkhead.report.tables import CLOSING, OPENING, SURPLUS, exact
from bulkhead.scenarios.invariants import DESCRIPTIONS, InvariantLog
from bulkhead.scenarios.ledger import COLLATERAL_ROWS, POTS, ROWS, LedgerReplay
from bulkhead.scenarios.world import Block, open_interest_units

_HEALTH_CLASSES = (
    ("health_negative", 0.0),
    ("health_below_1", 1.0),
    ("health_below_1_5", 1.5),
    ("health_below_3", 3.0),
    ("health_below_6", 6.0),
    ("health_above_6", inf),
)
"""Classes of health ratios and where each ends."""
_HIGHEST_HEALTH = 20.0
_CAUSES = (
    "calm",
    "price move",
    "stale price",
    "peg discount",
    "liquidation volume",
    "bad debt",
    "guardian",
    "halt expired",
)


class Recorder:
    """Collects one row per block.

    Args:
        start: Unix seconds from which hours are counted.
        replay: the ledger as events tell it, kept up to date by the caller.
        log: the invariants.
        collaterals: symbol and decimals of each collateral token, from id 1 on.
    """

    def __init__(
        self,
        start: int,
        replay: LedgerReplay,
        log: InvariantLog,
        collaterals: Sequence[tuple[str, int]],
    ) -> None:
        self._start = start
        self._replay = replay
        self._log = log
        self.series: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self.refusals: dict[str, Counter[str]] = defaultdict(Counter)
        self.tier_changes: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()
        self.unhealthy: set[bytes] = set()
        self.liquidated: set[bytes] = set()
        self._opening = dict(replay.pots)
        self._opening_collateral = {
            i: replay.booked_collateral(i) for i in range(1, len(collaterals) + 1)
        }
        self._collaterals = collaterals
        self._opening_write_offs = len(replay.write_offs)
        self._share_price: float | None = None
        self._last: MarketView | None = None

    # ------------------------------------------------------------------ recording

    def record(self, block: Block, view: MarketView) -> None:
        """Add a block and the state after it."""
        events = block.events
        refused = 0
        for outcome in block.outcomes:
            if outcome.error is not None:
                refused += 1
                self.refusals[outcome.error][outcome.transaction.purpose] += 1
        for event in events:
            if event.name == "TierChanged":
                self.tier_changes.append(self._tier_change(block, event.args))
        self.counts["blocks"] += 1
        self.counts["transactions"] += len(block.outcomes)
        self.counts["refused"] += refused
        row = self._state(view) | self._happened(events)
        row |= {
            "block": block.number,
            "step": view.step,
            "hours": round((block.timestamp - self._start) / 3600, 5),
            "transactions": len(block.outcomes),
            "refused": refused,
        }
        self._last = view
        for name in COLUMNS:
            value = row[name]
            self.series[name].append(round(value, 9) if isinstance(value, float) else value)

    def _happened(self, events: Sequence[Any]) -> dict[str, Any]:
        of: dict[str, list[Any]] = defaultdict(list)
        for event in events:
            of[event.name].append(event.args)
        notional = sum(abs(e.sizeDelta) * e.fillPrice // WAD for e in of["Liquidated"])
        payments = sum(e.paymentTokens for e in of["AuctionTaken"]) * 10**12
        bad_debt = sum(e.receipt.debt for e in of["BadDebtWrittenOff"])
        self.counts["liquidations"] += len(of["Liquidated"])
        self.counts["auctions"] += len(of["AuctionStarted"])
        self.counts["auction_purchases"] += len(of["AuctionTaken"])
        self.counts["write_offs"] += len(of["BadDebtWrittenOff"])
        self.counts["trades"] += len(of["Traded"]) - len(of["Liquidated"])
        self.sums["liquidated_notional"] += notional
        self.sums["auction_payments"] += payments
        self.liquidated |= {e.account for e in of["Liquidated"]}
        return {
            "liquidations": len(of["Liquidated"]),
            "liquidated_notional": notional / WAD,
            "auctions_started": len(of["AuctionStarted"]),
            "auctions_taken": len(of["AuctionTaken"]),
            "auction_payments": payments / WAD,
            "write_offs": len(of["BadDebtWrittenOff"]),
            "bad_debt": bad_debt / WAD,
        }

    def _state(self, view: MarketView) -> dict[str, Any]:
        c, peg = view.compartment, view.peg
        eth, btc = c.markets[0], c.markets[1]
        fair = peg.fair_rate / WAD
        fair_value = fair * eth.index_price
        longs, shorts = open_interest_units(view)
        share = max(0, c.pool_to_leave) / c.pool_shares if c.pool_shares else 0.0
        if self._share_price is None and share > 0:
            self._share_price = share
        return {
            "eth_outside": view.outside.eth,
            "eth_index": eth.index_price / WAD,
            "eth_mark": eth.mark_price / WAD,
            "eth_pool": view.pools["WETH/USDB"].price,
            "btc_outside": view.outside.btc,
            "btc_index": btc.index_price / WAD,
            "ratio_outside": view.outside.ratio,
            "ratio_spot": view.pools["LST/WETH"].price / fair,
            "ratio_market": peg.market_rate / peg.fair_rate,
            "ratio_maintenance": peg.maintenance_price / fair_value,
            "ratio_initial": peg.initial_price / fair_value,
            "stress": peg.stress / WAD,
            "queue_days": view.queue_delay_seconds / 86_400,
            "oi_long": longs / WAD,
            "oi_short": shorts / WAD,
            "premium": eth.mark_price / eth.index_price - 1,
            "funding_rate": eth.funding_rate / WAD,
            "btc_premium": btc.mark_price / btc.index_price - 1,
            "btc_funding_rate": btc.funding_rate / WAD,
            **self._health(list(view.accounts.values())),
            "tier": c.tier,
            "principal": c.principal / WAD,
            "pool_cash": c.pool_cash / WAD,
            "insurance_cash": c.insurance_cash / WAD,
            "fee_reserve": c.fee_reserve / WAD,
            "debt": c.debt / WAD,
            "claims": c.claims / WAD,
            "unrealized_positive": c.unrealized_positive / WAD,
            "unrealized_net": c.unrealized_net / WAD,
            "haircut_ratio": c.haircut_ratio / WAD,
            "pool_share_price": share / self._share_price if self._share_price else 0.0,
        }

    def _health(self, accounts: Sequence[AccountState]) -> dict[str, Any]:
        open_ = [a for a in accounts if a.maintenance_margin > 0]
        unhealthy = {a.account for a in open_ if a.is_unhealthy}
        self.unhealthy |= unhealthy
        ratios = sorted(a.health for a in open_)
        counts = dict.fromkeys((name for name, _ in _HEALTH_CLASSES), 0)
        for ratio in ratios:
            counts[next(name for name, end in _HEALTH_CLASSES if ratio < end)] += 1
        median = min(_HIGHEST_HEALTH, ratios[len(ratios) // 2]) if ratios else None
        return {
            **counts,
            "health_median": median,
            "accounts_open": len(open_),
            "accounts_unhealthy": len(unhealthy),
        }

    def _tier_change(self, block: Block, args: Any) -> dict[str, Any]:
        # The event's first two parameters are called `from` and `to`.
        before, after, cause, value = args
        return {
            "block": block.number,
            "hours": round((block.timestamp - self._start) / 3600, 5),
            "from": before,
            "to": after,
            "cause": _CAUSES[cause],
            "value": exact(value),
        }

    # ------------------------------------------------------------------ the record

    def finish(
        self, scenario: str, title: str, facts: Mapping[str, Any], notes: Mapping[str, str]
    ) -> RunRecord:
        """Return the run as recorded so far.

        Args:
            facts: goes into the summary as it is: seed, status, duration.
            notes: shown in the report.
        """
        rows = min(len(values) for values in self.series.values())
        series = {name: values[:rows] for name, values in self.series.items()}
        losses = self._losses()
        return RunRecord(
            scenario=scenario,
            title=title,
            summary=self._summary(scenario, series, losses, facts),
            series=series,
            flows=self._flows(),
            collateral=self._collateral(),
            losses={name: str(amount) for name, amount in losses.items()},
            refusals={error: dict(by) for error, by in sorted(self.refusals.items())},
            invariants=self._invariants(),
            tier_changes=self.tier_changes,
            notes=dict(notes),
            violations=[
                {"id": v.invariant, "block": v.block, "message": v.message}
                for v in self._log.violations
            ],
        )

    def _losses(self) -> dict[str, int]:
        split, receipts = self._replay.losses, self._replay.write_offs[self._opening_write_offs :]
        used = {
            "from_claim": split.from_claim,
            "from_cash": split.from_cash,
            "forgiven_by_profit": split.forgiven_by_profit,
            "repaid_by_owner": split.repaid_by_owner,
            "repaid_by_auction": split.repaid_by_auction,
            "outstanding": self._replay.pots["debt"],
            "insurance": sum(r.insurance for r in receipts),
            "backstop": sum(r.backstop for r in receipts),
            "pool": sum(r.pool for r in receipts),
            "junior": sum(r.junior for r in receipts),
        }
        total = split.from_claim + split.from_cash + split.to_debt + split.interest
        return {"total": total, **used, "nobody": total - sum(used.values())}

    def _flows(self) -> dict[str, dict[str, str]]:
        surplus = self._last.compartment.custody_surplus if self._last else 0
        flows: dict[str, Mapping[str, int]] = {OPENING: self._opening}
        flows |= {row: self._replay.flows[row] for row in ROWS}
        flows |= {CLOSING: self._replay.pots, SURPLUS: {"custody": surplus}}
        return {
            name: {pot: str(amount) for pot, amount in flow.items() if pot in (*POTS, "custody")}
            for name, flow in flows.items()
        }

    def _collateral(self) -> list[dict[str, Any]]:
        held = self._last.compartment.collaterals if self._last else ()
        rows = []
        for i, (symbol, decimals) in enumerate(self._collaterals, start=1):
            flow = self._replay.collateral_flows.get(i, {})
            amounts = {
                "opening": self._opening_collateral[i],
                **{row: flow.get(row, 0) for row in COLLATERAL_ROWS},
                "closing": self._replay.booked_collateral(i),
                "custody": held[i - 1].custody_tokens if i <= len(held) else 0,
            }
            text = {name: str(amount) for name, amount in amounts.items()}
            rows.append({"token": symbol, "decimals": decimals, **text})
        return rows

    def _invariants(self) -> list[dict[str, Any]]:
        results = self._log.results
        first: dict[str, str] = {}
        for v in self._log.violations:
            first.setdefault(v.invariant, f"block {v.block}: {v.message}")
        return [
            {
                "id": name,
                "description": text,
                "checks": self._log.checks[name],
                "result": results[name],
                "first": first.get(name, ""),
            }
            for name, text in DESCRIPTIONS.items()
        ]

    def _summary(
        self,
        scenario: str,
        series: Mapping[str, Sequence[Any]],
        losses: Mapping[str, int],
        facts: Mapping[str, Any],
    ) -> dict[str, Any]:
        bad_debt = sum(losses[t] for t in ("insurance", "backstop", "pool", "junior"))
        eth = series["eth_outside"]
        return {
            "scenario": scenario,
            **facts,
            "blocks": self.counts["blocks"],
            "transactions": self.counts["transactions"],
            "refused": self.counts["refused"],
            "trades": self.counts["trades"],
            "liquidations": self.counts["liquidations"],
            "liquidated_accounts": len(self.liquidated),
            "liquidated_notional": exact(self.sums["liquidated_notional"]),
            "unhealthy_accounts": len(self.unhealthy),
            "auctions": self.counts["auctions"],
            "auction_purchases": self.counts["auction_purchases"],
            "auction_payments": exact(self.sums["auction_payments"]),
            "write_offs": self.counts["write_offs"],
            "max_discount_bps": _bps(1 - min(series["ratio_market"], default=1.0)),
            "max_spot_discount_bps": _bps(1 - min(series["ratio_spot"], default=1.0)),
            "final_discount_bps": _bps(1 - series["ratio_market"][-1]) if eth else 0,
            "eth_fall_bps": _bps(_drawdown(eth)),
            "max_tier": max(series["tier"], default=0),
            "final_tier": series["tier"][-1] if eth else 0,
            "bad_debt": exact(bad_debt),
            "bad_debt_wei": bad_debt,
            "insurance_paid": exact(losses["insurance"]),
            "insurance_paid_wei": losses["insurance"],
            "lp_loss": exact(losses["pool"]),
            "lp_loss_wei": losses["pool"],
            "junior_loss": exact(losses["junior"]),
            "junior_loss_wei": losses["junior"],
            "outstanding_debt": exact(losses["outstanding"]),
            "haircut_ratio_min": str(min(series["haircut_ratio"], default=1.0)),
            "pool_share_return_bps": _bps(series["pool_share_price"][-1] - 1) if eth else 0,
            "custody_surplus_wei": self._last.compartment.custody_surplus if self._last else 0,
            "invariants": self._log.results,
        }


def _bps(fraction: float) -> int:
    return round(fraction * 10_000)


def _drawdown(values: Sequence[float]) -> float:
    """Return the deepest fall from an earlier high, a fraction."""
    highest, deepest = 0.0, 0.0
    for value in values:
        highest = max(highest, value)
        deepest = max(deepest, 1 - value / highest)
    return deepest
