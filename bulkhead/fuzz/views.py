"""The state of both sides in the same structs, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from eth_utils.crypto import keccak

from bulkhead.fuzz.universe import Model, Universe
from bulkhead.model import roles, types
from bulkhead.model.errors import ModelRevert
from bulkhead.model.invariants import Snapshot, snapshot
from bulkhead.model.types import SETTLEMENT, AccountId, AccountLedger


class ChainView:
    """What ``Lens`` says of the compartment and of every account that plays.

    Args:
        compartment: ``Lens.compartment()``, decoded.
        accounts: ``Lens.accounts(…)``, decoded, in the order of ``Universe.accounts``.
        settlement_decimals: of the settlement token.
    """

    def __init__(self, compartment: Any, accounts: Sequence[Any], settlement_decimals: int) -> None:
        self.compartment = compartment
        self.accounts = accounts
        self.settlement_decimals = settlement_decimals

    def snapshot(self) -> Snapshot:
        """Return the state as the invariants read it."""
        c = self.compartment
        ids = {_number(v.account): v for v in self.accounts}
        custody = {SETTLEMENT: int(c.custodyTokens)}
        custody |= {i + 1: int(v.custodyTokens) for i, v in enumerate(c.collaterals)}
        touched = [m for m in c.markets if m.reported.updatedAt]
        return Snapshot(
            settlement_decimals=self.settlement_decimals,
            totals=types.LedgerTotals(*c.totals),
            unrealized_totals=types.UnrealizedTotals(*c.unrealized),
            accounts={a: AccountLedger(*v.ledger) for a, v in ids.items() if any(v.ledger)},
            collateral={
                (a, i + 1): int(amount)
                for a, v in ids.items()
                for i, amount in enumerate(v.collateralTokens)
                if amount
            },
            total_collateral={
                i + 1: int(v.bookedTokens) for i, v in enumerate(c.collaterals) if v.bookedTokens
            },
            custody=custody,
            markets={int(m.market): types.Market(*m.state) for m in touched},
            positions={
                (a, int(p.market)): types.Position(*p.position)
                for a, v in ids.items()
                for p in v.positions
            },
            market_unrealized={int(m.market): types.MarketUnrealized(*m.reported) for m in touched},
            marks={int(m.market): int(m.markPrice) for m in touched},
        )

    def derived(self) -> dict[str, Any]:
        """Return what follows from the state: ratios, values, requirements."""
        c = self.compartment
        found: dict[str, Any] = {
            "haircutRatio": c.haircutRatio,
            "tier": c.tier,
            "poolShares": c.poolShares,
            "poolToEnter": c.poolToEnter,
            "poolToLeave": c.poolToLeave,
            "fundShares": c.fundShares,
        }
        for m in c.markets:
            found[f"market {m.market}"] = (
                m.indexPrice,
                int(m.status),
                m.markPrice,
                m.fundingRate,
                m.unrealizedPnl,
            )
        for i, v in enumerate(c.collaterals):
            found[f"collateral {i + 1}"] = tuple(map(int, v.valuation))
        for v in self.accounts:
            found[f"matured {_number(v.account):#x}"] = v.maturedClaim
            if v.isPriced:
                found[f"valuation {_number(v.account):#x}"] = tuple(map(int, v.valuation))
        return found


def model_snapshot(model: Model) -> Snapshot:
    """Return the model's state without entries that are all zeros, as a chain cannot list those."""
    s = snapshot(model)
    return Snapshot(
        s.settlement_decimals,
        s.totals,
        s.unrealized_totals,
        {a: v for a, v in s.accounts.items() if v != AccountLedger()},
        {k: v for k, v in s.collateral.items() if v},
        {k: v for k, v in s.total_collateral.items() if v},
        s.custody,
        {k: v for k, v in s.markets.items() if k in s.market_unrealized},
        s.positions,
        {k: v for k, v in s.market_unrealized.items() if v.updated_at},
        {k: v for k, v in s.marks.items() if k in s.market_unrealized},
    )


def model_derived(u: Universe, accounts: Sequence[AccountId]) -> dict[str, Any]:
    """Return the model's counterpart of ``ChainView.derived``."""
    m = u.model
    engine, exchange, vault = m.margin_engine, m.perp_exchange, m.liquidity_vault
    to_enter, to_leave = vault.net_asset_value()
    found: dict[str, Any] = {
        "haircutRatio": engine.haircut_ratio(),
        "tier": m.circuit_breaker.tier(),
        "poolShares": vault.total_supply,
        "poolToEnter": to_enter,
        "poolToLeave": to_leave,
        "fundShares": m.insurance_fund.total_supply,
    }
    for i in range(m.risk_parameters.market_count):
        index, status = exchange.index_price(i)
        found[f"market {i}"] = (
            index,
            int(status),
            exchange.mark_price(i),
            exchange.funding_rate(i),
            exchange.unrealized_pnl(i),
        )
    for i in range(1, m.risk_parameters.collateral_count + 1):
        found[f"collateral {i}"] = numbers(engine.collateral_valuation(i))
    for account in accounts:
        found[f"matured {account:#x}"] = engine.matured_claim(account)
        try:
            found[f"valuation {account:#x}"] = numbers(engine.valuation(account))
        except ModelRevert:
            continue
    return found


def differences(model: Any, chain: Any, where: str = "") -> Iterator[str]:
    """Yield where two values of the same shape differ, one line each."""
    if is_dataclass(model) and not isinstance(model, type):
        for f in fields(model):
            yield from differences(
                getattr(model, f.name), getattr(chain, f.name), f"{where}.{f.name}"
            )
    elif isinstance(model, dict):
        for key in model.keys() | chain.keys():
            name = f"{key:#x}" if isinstance(key, int) else str(key)
            if key not in model or key not in chain:
                side = "model" if key in model else "chain"
                yield f"{where}[{name}]: only the {side} has {model.get(key, chain.get(key))}"
            else:
                yield from differences(model[key], chain[key], f"{where}[{name}]")
    elif model != chain:
        yield f"{where}: model {model}, chain {chain}"


def numbers(value: Any) -> Any:
    """Return a struct as a tuple of numbers, addresses and words included."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(numbers(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, list | tuple):
        return tuple(numbers(v) for v in value)
    if isinstance(value, bytes):
        return _number(value)
    if isinstance(value, str):
        if value.startswith("0x"):
            return int(value, 16)
        if value in (roles.GOVERNOR, roles.RISK_ADMIN, roles.GUARDIAN):
            return _number(keccak(text=value))
        return _number(value.encode().ljust(32, b"\0"))
    return None if value is None else int(value)


def _number(word: bytes) -> int:
    return int.from_bytes(word, "big")
