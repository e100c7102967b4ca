"""Random calls on ``examples/share-vault``, and the integers that the vault must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from bulkhead import ROOT
from bulkhead.bench.workload import Action, Look, Mismatch
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.fuzz.project import CompiledContract, compile_project

EXAMPLE = ROOT / "examples" / "share-vault"
ACTORS = 3
WALLET = 2**96 - 1
"""Raw units of the asset that each actor begins with."""
MOST_DIGITS = 24
DONATION_DIVISOR = 100
"""A donation is at most the pot divided by this."""
OPERATIONS = ("deposit", "mint", "withdraw", "redeem", "transfer", "donate")
PAYING_IN = ("deposit", "mint", "donate")
"""What an actor without shares can do."""


class ShareVaultWorkload:
    """Three people who deposit, mint, withdraw, redeem, transfer and donate.

    Amounts reach from 1 to all there is; one call in sixteen or so asks for more, and is refused.

    Args:
        contracts: the compiled example; None compiles it.
        vault: which of its vaults.
    """

    view = Look("ShareVault", "totals")

    def __init__(
        self, contracts: Mapping[str, CompiledContract] | None = None, vault: str = "ShareVault"
    ) -> None:
        self._compiled = compile_project(EXAMPLE) if contracts is None else contracts
        self._vault = vault
        self._addresses: list[str] = []
        self._pot = ""
        self.begin()

    def deploy(self, rpc: Rpc) -> Mapping[str, Contract]:
        """Deploy asset and vault, and give every actor a wallet."""
        deployer, *others = rpc.request("eth_accounts")
        self._addresses = others[:ACTORS]
        asset = self._deployed(rpc, deployer, "Asset")
        vault = self._deployed(rpc, deployer, self._vault, bytes.fromhex(asset.address[2:]))
        self._pot = vault.address
        for actor in self._addresses:
            asset.transact("mint", actor, WALLET, sender=deployer)
            asset.transact("approve", vault.address, 2**256 - 1, sender=actor)
        self.begin()
        return {"Asset": asset, "ShareVault": vault}

    def begin(self) -> None:
        """Set the model to the state after ``deploy``."""
        self._assets = 0
        self._shares = 0
        self._held = [0] * ACTORS
        self._wallets = [WALLET] * ACTORS

    def next_call(self, rng: Random) -> Action:
        """Return a random call, mostly one that the vault accepts."""
        who, to = rng.randrange(ACTORS), rng.randrange(ACTORS)
        actor, receiver = self._addresses[who], self._addresses[to]
        wallet, held = self._wallets[who], self._held[who]
        a, s = self._assets + 1, self._shares + 1
        operation = rng.choice(OPERATIONS if held else PAYING_IN)
        match operation:
            case "donate":
                # Small ones, or after some thousand calls a share costs more than anyone has.
                amount = _any(rng, 1, a // DONATION_DIVISOR)
                return Action("Asset", "transfer", (self._pot, amount), actor)
            case "deposit":
                args: tuple[Any, ...] = (_any(rng, -(-a // s), wallet), receiver)
            case "mint":
                args = (_any(rng, 1, wallet * s // a), receiver)
            case "withdraw":
                args = (_part(rng, held * a // s), receiver, actor)
            case "redeem":
                args = (_part(rng, held), receiver, actor)
            case _:
                args = (receiver, _part(rng, held))
        return Action("ShareVault", operation, args, actor)

    def check(self, action: Action, accepted: bool, seen: Any) -> None:
        """Play the call on the model and compare.

        Raises:
            Mismatch: the vault took or refused what it should not, or its totals are wrong.
        """
        if self._play(action) != accepted:
            raise Mismatch(f"{action}: {'accepted' if accepted else 'refused'}")
        assets, shares = seen
        if (assets, shares) != (self._assets, self._shares):
            expected = (self._assets, self._shares)
            raise Mismatch(f"{action}: totals are {(assets, shares)}, expected {expected}")

    # ------------------------------------------------------------------ the model

    def _play(self, action: Action) -> bool:
        """Let a call happen; return whether it is accepted."""
        who = self._addresses.index(action.sender)
        a, s = self._assets + 1, self._shares + 1
        if action.contract == "Asset":
            return self._enter(who, None, action.args[1], 0)
        if action.function == "transfer":
            return self._move(who, self._addresses.index(action.args[0]), action.args[1])
        amount, to = action.args[0], self._addresses.index(action.args[1])
        match action.function:
            case "deposit":
                return amount * s // a > 0 and self._enter(who, to, amount, amount * s // a)
            case "mint":
                return amount > 0 and self._enter(who, to, -(-amount * a // s), amount)
            case "withdraw":
                return self._leave(who, to, amount, -(-amount * s // a))
            case _:
                return self._leave(who, to, amount * a // s, amount)

    def _enter(self, who: int, to: int | None, assets: int, shares: int) -> bool:
        if assets > self._wallets[who]:
            return False
        self._wallets[who] -= assets
        self._assets += assets
        self._shares += shares
        if to is not None:
            self._held[to] += shares
        return True

    def _leave(self, who: int, to: int, assets: int, shares: int) -> bool:
        if assets == 0 or shares > self._held[who]:
            return False
        self._held[who] -= shares
        self._shares -= shares
        self._assets -= assets
        self._wallets[to] += assets
        return True

    def _move(self, who: int, to: int, shares: int) -> bool:
        if shares > self._held[who]:
            return False
        self._held[who] -= shares
        self._held[to] += shares
        return True

    def _deployed(self, rpc: Rpc, sender: str, name: str, argument: bytes = b"") -> Contract:
        compiled = self._compiled[name]
        data = compiled.bytecode + (argument.rjust(32, b"\0") if argument else b"")
        receipt = rpc.send_sync(sender, None, data)
        assert receipt.contract_address is not None
        return Contract(rpc, receipt.contract_address, compiled.abi, name)


def _any(rng: Random, least: int, most: int) -> int:
    """Return an amount of any order of magnitude, in bounds unless these exclude each other."""
    return max(least, min(most, rng.randint(1, int(10 ** rng.randint(1, MOST_DIGITS)))))


def _part(rng: Random, most: int) -> int:
    """Return a part of an amount: often all of it, at times one more."""
    return rng.choice((most, most + 1, *(rng.randint(min(1, most), most) for _ in range(6))))
