"""Twin of ``AccountOperators``: who may act for a margin account besides its owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulkhead.model import eip712
from bulkhead.model.context import Contract, Table, external
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    AccountOperators_ExpiryInPast,
    AccountOperators_InvalidOperator,
    AccountOperators_InvalidSignature,
    AccountOperators_NoGrant,
    AccountOperators_NonceUsed,
    AccountOperators_NotAuthorized,
    AccountOperators_NotOwner,
    AccountOperators_SignatureExpired,
    AccountOperators_UnknownPermissions,
)
from bulkhead.model.types import ZERO_ADDRESS, AccountId, Address, owner_of

DEPOSIT, TRADE, WITHDRAW, CONVERT, MANAGE_ORDERS = 1, 2, 4, 8, 16
ALL = 31
NAME, VERSION = "Bulkhead AccountOperators", "1"
SET_OPERATOR = (
    "SetOperator(bytes32 account,address operator,uint8 permissions,uint40 expiresAt,"
    "uint256 nonce,uint256 deadline)"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions as bits, and the Unix seconds from which they are void."""

    permissions: int = 0
    expires_at: int = 0


class AccountOperators(Contract):
    """Remembers what owners allow.

    Attributes:
        signers: what contracts answer to ``isValidSignature(digest, signature)``, by address; who
            is not in it has no code and signs by ECDSA.
    """

    def __init__(self, parts: Parts, chain_id: int) -> None:
        super().__init__(parts.context, parts.addresses.account_operators)
        self._chain_id = chain_id
        self._grants: Table[tuple[AccountId, Address], Grant] = Table(parts.context)
        self._used_nonces: Table[tuple[Address, int], int] = Table(parts.context)
        self.signers: dict[Address, Callable[[bytes, bytes], bool]] = {}

    # ------------------------------------------------------------------------- state-changing

    @external
    def set_operator(
        self,
        sender: Address,
        account: AccountId,
        operator: Address,
        permissions: int,
        expires_at: int,
    ) -> None:
        """Grant an operator exactly these permissions; 0 revokes.

        Raises:
            AccountOperators_NotOwner: the account is another's.
            AccountOperators_InvalidOperator: nobody, or the owner.
            AccountOperators_UnknownPermissions: a bit means nothing.
            AccountOperators_ExpiryInPast: it would be void at once.
        """
        if owner_of(account) != sender:
            raise AccountOperators_NotOwner(account, sender)
        self._require_grant(account, operator, permissions, expires_at)
        self._set(sender, account, operator, permissions, expires_at)

    @external
    def set_operator_by_signature(
        self,
        sender: Address,
        account: AccountId,
        operator: Address,
        permissions: int,
        expires_at: int,
        nonce: int,
        deadline: int,
        signature: bytes,
    ) -> None:
        """Do the same with the owner's signature.

        Raises:
            AccountOperators_SignatureExpired: it comes too late.
            AccountOperators_NonceUsed: once more.
            AccountOperators_InvalidOperator, AccountOperators_UnknownPermissions,
            AccountOperators_ExpiryInPast: as ``set_operator``.
            AccountOperators_InvalidSignature: the owner did not sign this.
        """
        owner, now = owner_of(account), self._context.now
        if now > deadline:
            raise AccountOperators_SignatureExpired(deadline, now)
        if self.is_nonce_used(owner, nonce):
            raise AccountOperators_NonceUsed(owner, nonce)
        self._require_grant(account, operator, permissions, expires_at)
        signed = self.digest(account, operator, permissions, expires_at, nonce, deadline)
        if not self.is_signed(owner, signed, signature):
            raise AccountOperators_InvalidSignature(owner)
        self._use_nonces(owner, nonce >> 8, 1 << (nonce & 0xFF))
        self._set(sender, account, operator, permissions, expires_at)

    @external
    def renounce(self, sender: Address, account: AccountId) -> None:
        """Give up one's own grant.

        Raises:
            AccountOperators_NoGrant: there is none.
        """
        if self.grant_of(account, sender).permissions == 0:
            raise AccountOperators_NoGrant(account, sender)
        self._set(sender, account, sender, 0, 0)

    @external
    def invalidate_nonces(self, sender: Address, word: int, mask: int) -> None:
        """Cancel the sender's nonces from ``256 · word`` on whose bits are set."""
        self._use_nonces(sender, word, mask)

    # ---------------------------------------------------------------------------------- views

    def permissions_of(self, account: AccountId, operator: Address) -> int:
        """Return what an operator may do now."""
        grant = self.grant_of(account, operator)
        return grant.permissions if self._context.now < grant.expires_at else 0

    def grant_of(self, account: AccountId, operator: Address) -> Grant:
        """Return a grant as it was given."""
        return self._grants.get((account, operator), Grant())

    def is_nonce_used(self, owner: Address, nonce: int) -> bool:
        """Return whether a nonce has been used or cancelled."""
        return self.used_nonces(owner, nonce >> 8) >> (nonce & 0xFF) & 1 == 1

    def used_nonces(self, owner: Address, word: int) -> int:
        """Return 256 nonces at once, as bits."""
        return self._used_nonces.get((owner, word), 0)

    def is_authorized(self, account: AccountId, caller: Address, permission: int) -> bool:
        """Return whether a caller is the owner, or holds all of these permissions."""
        if owner_of(account) == caller:
            return True
        held = self.permissions_of(account, caller)
        return permission != 0 and held & permission == permission

    def require_authorized(self, account: AccountId, caller: Address, permission: int) -> None:
        """Check that a caller is the owner, or holds all of these permissions.

        Raises:
            AccountOperators_NotAuthorized: neither.
        """
        if not self.is_authorized(account, caller, permission):
            raise AccountOperators_NotAuthorized(account, caller, permission)

    def digest(
        self,
        account: AccountId,
        operator: Address,
        permissions: int,
        expires_at: int,
        nonce: int,
        deadline: int,
    ) -> bytes:
        """Return what an owner signs."""
        separator = eip712.domain_separator(NAME, VERSION, self._chain_id, self.address)
        values = (account, operator, permissions, expires_at, nonce, deadline)
        return eip712.digest(separator, SET_OPERATOR, values)

    def is_signed(self, signer: Address, message: bytes, signature: bytes) -> bool:
        """Return whether somebody signed: by ECDSA, or as the contract there says."""
        if signer in self.signers:
            return self.signers[signer](message, signature)
        found = eip712.recover(message, signature)
        return found != ZERO_ADDRESS and found == signer

    # ------------------------------------------------------------------------------- internal

    def _require_grant(
        self, account: AccountId, operator: Address, permissions: int, expires_at: int
    ) -> None:
        if operator in (ZERO_ADDRESS, owner_of(account)):
            raise AccountOperators_InvalidOperator(operator)
        if permissions > ALL:
            raise AccountOperators_UnknownPermissions(permissions, ALL)
        now = self._context.now
        if permissions and expires_at <= now:
            raise AccountOperators_ExpiryInPast(expires_at, now)

    def _set(
        self,
        sender: Address,
        account: AccountId,
        operator: Address,
        permissions: int,
        expires_at: int,
    ) -> None:
        grant = Grant(permissions, expires_at if permissions else 0)
        self._grants[account, operator] = grant
        self._emit(
            "OperatorSet",
            account=account,
            operator=operator,
            permissions=grant.permissions,
            expiresAt=grant.expires_at,
            by=sender,
        )

    def _use_nonces(self, owner: Address, word: int, mask: int) -> None:
        mask |= self.used_nonces(owner, word)
        self._used_nonces[owner, word] = mask
        self._emit("NoncesUsed", owner=owner, word=word, mask=mask)
