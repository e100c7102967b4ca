"""Errors with which calls may legitimately revert, in the groups in which they come up."""

from __future__ import annotations

BLOCKED = frozenset({"CircuitBreaker_Blocked"})
"""The breaker's tier does not allow it."""

TOKEN = frozenset({"ERC20InsufficientBalance", "ERC20InsufficientAllowance"})
"""A wallet has less, or allows less, than a transfer takes."""

ODD = frozenset({"HostileToken_Blocked"})
"""The fourth collateral blocks one of the two sides."""

NOT_OWNER = frozenset({"AccountOperators_NotAuthorized"})
"""Somebody else's account, and no permission of theirs."""

MARGIN = frozenset({"MarginEngine_BelowInitialMargin", "ActionPolicy_PriceStatus"})
"""The account would not meet its initial margin, or nobody can tell."""

UNHEALTHY = frozenset(
    {
        "LiquidationEngine_Healthy",
        "LiquidationEngine_HealthyAtIndex",
        "ActionPolicy_PriceStatus",
    }
)
"""The account is not to be liquidated, or nobody can tell."""

ENDING = frozenset({"PerpExchange_WindingDown", "PerpExchange_Settled"})
"""The market is only left any more, or its last price is fixed."""

NOT_YOURS = frozenset({"RoleRegistry_MissingRole"})
"""The sender lacks the role."""

ORDERS = frozenset({"MarginEngine_OrdersOpen"})
"""An order of the account may raise its risk, so its margin stays."""

NOT_A_PART = frozenset(
    {
        "CircuitBreaker_NotLiquidationEngine",
        "CollateralVault_NotMarginEngine",
        "CompartmentLock_NotAuthorized",
        "PerpExchange_NotAuthorized",
        "PerpExchange_NotLiquidationEngine",
        "PerpExchange_NotSignedOrders",
    }
)
"""Only parts of the compartment may call it."""

TURNED_AWAY = frozenset({"OwnableUnauthorizedAccount"})
"""Only the owner of a devnet contract may call it."""
