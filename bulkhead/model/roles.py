"""Twin of ``RoleRegistry``; roles are named by the text that the contract hashes."""

from __future__ import annotations

from bulkhead.model.context import Contract, Table, external
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    AccessControlBadConfirmation,
    AccessControlUnauthorizedAccount,
    RoleRegistry_MissingRole,
)
from bulkhead.model.types import Address

GOVERNOR = "GOVERNOR"
RISK_ADMIN = "RISK_ADMIN"
GUARDIAN = "GUARDIAN"


class RoleRegistry(Contract):
    """Who may do what; the governor administers every role."""

    def __init__(self, parts: Parts, governor: Address) -> None:
        super().__init__(parts.context, parts.addresses.roles)
        self._members: Table[tuple[str, Address], bool] = Table(parts.context)
        self._members[GOVERNOR, governor] = True

    def has_role(self, role: str, account: Address) -> bool:
        """Return whether an account has a role."""
        return self._members.get((role, account), False)

    def require_role(self, role: str, caller: Address) -> None:
        """Check a role.

        Raises:
            RoleRegistry_MissingRole: the caller does not have it.
        """
        if not self.has_role(role, caller):
            raise RoleRegistry_MissingRole(caller, role)

    @external
    def grant_role(self, sender: Address, role: str, account: Address) -> None:
        """Grant a role.

        Raises:
            AccessControlUnauthorizedAccount: the sender is not the governor.
        """
        self._only_governor(sender)
        self._set(sender, role, account, True)

    @external
    def revoke_role(self, sender: Address, role: str, account: Address) -> None:
        """Revoke a role.

        Raises:
            AccessControlUnauthorizedAccount: the sender is not the governor.
        """
        self._only_governor(sender)
        self._set(sender, role, account, False)

    @external
    def renounce_role(self, sender: Address, role: str, confirmation: Address) -> None:
        """Give up a role of one's own.

        Raises:
            AccessControlBadConfirmation: the account named is not the sender.
        """
        if confirmation != sender:
            raise AccessControlBadConfirmation()
        self._set(sender, role, sender, False)

    def _only_governor(self, sender: Address) -> None:
        if not self.has_role(GOVERNOR, sender):
            raise AccessControlUnauthorizedAccount(sender, GOVERNOR)

    def _set(self, sender: Address, role: str, account: Address, member: bool) -> None:
        if self.has_role(role, account) == member:
            return
        self._members[role, account] = member
        name = "RoleGranted" if member else "RoleRevoked"
        self._emit(name, role=role, account=account, sender=sender)
