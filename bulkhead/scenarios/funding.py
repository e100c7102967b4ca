"""Gives participants their tokens, approvals and first deposits, as ordinary transactions."""

from __future__ import annotations

from bulkhead.agents.view import Transaction, account_id
from bulkhead.scenarios.world import ETHER, UNLIMITED, World

USDB_UNIT = 10**6
WBTC_UNIT = 10**8


class Funding:
    """Collects the transactions of a setup; nothing is sent until they are mined.

    Args:
        world: where; its deployer mints.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._deployer = world.book.deployer
        self.transactions: list[Transaction] = []
        self.addresses: list[str] = []

    def _add(
        self, sender: str, contract: str, function: str, *args: object, value: int = 0
    ) -> None:
        purpose = f"set up: {contract}.{function}"
        self.transactions.append(Transaction(sender, contract, function, args, purpose, value))

    def give(self, owner: str, token: str, amount: int) -> None:
        """Give raw token units: minted, wrapped from ether, or staked."""
        if owner not in self.addresses:
            self.addresses.append(owner)
        if amount <= 0:
            return
        if token == "WETH":
            self._add(owner, "WETH", "deposit", value=amount)
        elif token == "LST":
            self._add(owner, "WETH", "deposit", value=amount)
            self._add(owner, "WETH", "approve", self._world.book.tokens["LST"], UNLIMITED)
            self._add(owner, "LST", "deposit", amount, owner)
        else:
            self._add(self._deployer, token, "mint", owner, amount)

    def approve(self, owner: str, token: str, *spenders: str) -> None:
        """Let contracts take an owner's tokens, without limit."""
        for spender in spenders:
            address = self._world.book.contracts[spender]
            self._add(owner, token, "approve", address, UNLIMITED)

    def deposit_margin(self, owner: str, token: str, amount: int) -> None:
        """Deposit raw token units into an owner's margin account."""
        collateral = self._world.book.collaterals.get(token, 0)
        arguments = (account_id(owner), collateral, amount)
        self._add(owner, "MarginEngine", "deposit", *arguments)

    def deposit_vault(self, owner: str, vault: str, amount: int) -> None:
        """Deposit settlement tokens into pool or insurance fund."""
        self.approve(owner, "USDB", vault)
        self._add(owner, vault, "deposit", amount, owner)

    def ether_needed(self) -> int:
        """Return more than enough wei for whoever wraps most."""
        return ETHER + sum(t.value for t in self.transactions)
