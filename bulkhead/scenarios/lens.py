"""The chain's state as agents and invariants read it: ``Lens`` answers turned into plain states."""

from __future__ import annotations

from typing import Any

from bulkhead.agents.view import (
    AccountState,
    CollateralState,
    CompartmentState,
    PegView,
    PerpState,
    PositionState,
)


def account_state(raw: Any) -> AccountState:
    """Return an account from ``Lens.accounts``."""
    v = raw.valuation
    return AccountState(
        account=bytes(raw.account),
        owner="0x" + bytes(raw.account)[:20].hex(),
        cash=raw.ledger.cash,
        booked_debt=raw.bookedDebt,
        claim=raw.ledger.claim,
        matured_claim=raw.maturedClaim,
        collateral_tokens=tuple(raw.collateralTokens),
        positions=tuple(
            PositionState(p.market, p.position.size, p.position.quote, p.unrealizedPnl)
            for p in raw.positions
        ),
        equity_initial=v.equityInitial,
        equity_maintenance=v.equityMaintenance,
        initial_margin=v.initialMargin,
        maintenance_margin=v.maintenanceMargin,
        buffer_at_index=v.bufferAtIndex,
        collateral_maintenance=v.collateralMaintenance,
        is_priced=raw.isPriced,
    )


def compartment_state(raw: Any) -> CompartmentState:
    """Return the compartment from ``Lens.compartment``."""
    t = raw.totals
    return CompartmentState(
        principal=t.principal,
        debt=t.debt,
        accrued_debt=raw.accruedDebt,
        borrow_rate=raw.borrowRate,
        claims=t.claims,
        pool_cash=t.poolCash,
        insurance_cash=t.insuranceCash,
        fee_reserve=t.feeReserve,
        unrealized_positive=raw.unrealized.positive,
        unrealized_net=raw.unrealized.net,
        haircut_ratio=raw.haircutRatio,
        tier=raw.tier,
        custody_tokens=raw.custodyTokens,
        custody_surplus=raw.custodySurplus,
        pool_shares=raw.poolShares,
        pool_to_enter=raw.poolToEnter,
        pool_to_leave=raw.poolToLeave,
        fund_shares=raw.fundShares,
        markets=tuple(
            PerpState(
                market=m.market,
                open_interest_long=m.state.openInterestLong,
                open_interest_short=m.state.openInterestShort,
                index_price=m.indexPrice,
                status=m.status,
                mark_price=m.markPrice,
                funding_rate=m.fundingRate,
                unrealized_pnl=m.unrealizedPnl,
            )
            for m in raw.markets
        ),
        collaterals=tuple(
            CollateralState(
                token=c.token,
                custody_tokens=c.custodyTokens,
                booked_tokens=c.bookedTokens,
                initial_price=c.valuation.initialPrice,
                maintenance_price=c.valuation.maintenancePrice,
                market_price=c.valuation.marketPrice,
                status=c.valuation.status,
            )
            for c in raw.collaterals
        ),
    )


def peg_view(state: Any, valuation: Any) -> PegView:
    """Return the peg from ``PegMonitor.pegState`` and ``valuation``."""
    return PegView(
        fair_rate=state.fairRate,
        market_rate=state.marketRate,
        stress=state.stress,
        discount=valuation.discount,
        haircut=valuation.haircut,
        maintenance_price=valuation.maintenancePrice,
        initial_price=valuation.initialPrice,
        market_price=valuation.marketPrice,
    )
