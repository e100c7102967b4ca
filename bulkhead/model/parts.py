"""The wiring of one compartment: what each twin may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.model.context import Context
from bulkhead.model.reverts import EmptyRevert
from bulkhead.model.types import Address, Addresses

if TYPE_CHECKING:
    from bulkhead.model.breaker import CircuitBreaker
    from bulkhead.model.custody import CollateralVault
    from bulkhead.model.delayed_orders import DelayedOrders
    from bulkhead.model.exchange import PerpExchange
    from bulkhead.model.feeds import Feeds
    from bulkhead.model.liquidation import LiquidationEngine
    from bulkhead.model.margin import MarginEngine
    from bulkhead.model.operators import AccountOperators
    from bulkhead.model.parameters import RiskParameters
    from bulkhead.model.risk_engine import RiskEngine
    from bulkhead.model.roles import RoleRegistry
    from bulkhead.model.signed_orders import SignedOrders
    from bulkhead.model.tokens import ERC20
    from bulkhead.model.vaults import InsuranceFund, LiquidityVault


class Parts:
    """Filled once by ``World``; each twin keeps a reference, as the contracts keep immutables."""

    feeds: Feeds
    roles: RoleRegistry
    risk_parameters: RiskParameters
    circuit_breaker: CircuitBreaker
    collateral_vault: CollateralVault
    risk_engine: RiskEngine
    account_operators: AccountOperators
    margin_engine: MarginEngine
    perp_exchange: PerpExchange
    liquidity_vault: LiquidityVault
    insurance_fund: InsuranceFund
    liquidation_engine: LiquidationEngine
    signed_orders: SignedOrders
    delayed_orders: DelayedOrders

    def __init__(self, context: Context, addresses: Addresses) -> None:
        self.context = context
        self.addresses = addresses
        self.tokens: dict[Address, ERC20] = {}

    def token(self, address: Address) -> ERC20:
        """Return the token at an address.

        Raises:
            EmptyRevert: there is none.
        """
        if address not in self.tokens:
            raise EmptyRevert()
        return self.tokens[address]
