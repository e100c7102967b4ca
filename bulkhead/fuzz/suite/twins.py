"""Plays calls on the model: finds the twin's method and turns words into what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth_utils.crypto import keccak

from bulkhead.deployment.addresses import AddressBook
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.suite.model import Model
from bulkhead.fuzz.suite.origin import ROLES, lower
from bulkhead.fuzz.target import snake
from bulkhead.model.tokens import OwnableUnauthorizedAccount, Token
from bulkhead.model.types import Address

_ROLE_NAMES = {bytes(keccak(text=role)): role for role in ROLES}

Method = Callable[..., Any]


def role_id(name: str) -> bytes:
    """Return the word that stands for a role."""
    return bytes(keccak(text=name))


class Twins:
    """The twins of a model by the names of their contracts."""

    def __init__(self, model: Model, book: AddressBook) -> None:
        self._model = model
        self._book = book
        self._methods: dict[tuple[str, str], Method] = {}

    def play(self, call: Call) -> Any:
        """Play a call; return what Solidity returns.

        Raises:
            ModelRevert: as the contract would.
        """
        key = call.contract, call.function
        method = self._methods.get(key)
        if method is None:
            method = self._methods[key] = self._find(*key)
        return method(call.sender, *call.args)

    def _find(self, contract: str, function: str) -> Method:
        twin = self._twin(contract)
        if contract == "RoleRegistry":
            return _with_role_names(getattr(twin, snake(function)))
        if function == "mint" and isinstance(twin, Token):
            return self._owner_mints(twin)
        method: Method = getattr(twin, "raise_" if function == "raise" else snake(function))
        return method

    def _twin(self, contract: str) -> Any:
        m = self._model
        if contract in self._book.tokens:
            return m.tokens[lower(self._book.tokens[contract])]
        if contract in self._book.feeds:
            return m.feeds[contract]
        name = "roles" if contract == "RoleRegistry" else snake(contract)
        return getattr(m, name)

    def _owner_mints(self, token: Token) -> Method:
        def mint(sender: Address, account: Address, value: int) -> None:
            if sender != self._model.governor:
                raise OwnableUnauthorizedAccount(sender)
            token.mint(account, value)

        return mint


def _with_role_names(method: Method) -> Method:
    def call(sender: Address, role: bytes, account: Address) -> Any:
        return method(sender, _ROLE_NAMES.get(role, "0x" + role.hex()), account)

    return call
