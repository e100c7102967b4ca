"""What is on the chain before the protocol is, looked at before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import is_address

from bulkhead.chain.codec import CodecError, checksum
from bulkhead.chain.contract import interface_of
from bulkhead.deployment.parameters import (
    ChainlinkSource,
    DeploymentParameters,
    UniswapV3TwapSource,
)
from bulkhead.deployment.sender import DeploymentError, Sender
from bulkhead.deployment.units import from_wad, unscaled

ZERO_ADDRESS = "0x" + "00" * 20
MAX_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class Environment:
    """What is on the chain before the protocol is.

    Attributes:
        network: the address book's name.
        tokens: address by symbol, the settlement token among them.
        feeds: address of each feed by name.
        pools: address of each Uniswap v3 pool by name.
        roles: a ``RoleRegistry`` to share; None deploys one.
        contracts: more contracts to list in the address book, by name.
        accounts: named accounts to list in the address book.
    """

    network: str = "local"
    tokens: Mapping[str, str] = field(default_factory=dict)
    feeds: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, str] = field(default_factory=dict)
    roles: str | None = None
    contracts: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)


def external_environment(parameters: DeploymentParameters, network: str) -> Environment:
    """Return the environment that a parameter file itself names, for real networks."""
    external = parameters.external
    return Environment(network, external.tokens, external.feeds, external.pools)


class Survey:
    """Finds what parameters name, and refuses what would not work.

    Args:
        sender: whose chain it is; nothing is sent.
        environment: names and addresses.

    Raises:
        DeploymentError: from every method: something is missing or does not fit.
    """

    def __init__(self, sender: Sender, environment: Environment) -> None:
        self._sender = sender
        self._environment = environment

    def check_chain(self, wanted: int | None) -> None:
        """Refuse another chain than the one that is wanted, if one is."""
        actual = self._sender.chain_id()
        if wanted not in (None, actual):
            raise DeploymentError(
                f"the parameters are for chain {wanted}, but this is chain {actual}"
            )

    def tokens(self, parameters: DeploymentParameters) -> tuple[dict[str, str], dict[str, int]]:
        """Return address and decimals of settlement token and collaterals, by symbol."""
        wanted: list[tuple[str, str, int | None]] = [
            (parameters.settlement_token, "settlement_token", None),
            *((c.symbol, f"collaterals.{c.name}", c.decimals) for c in parameters.collaterals),
        ]
        addresses: dict[str, str] = {}
        decimals: dict[str, int] = {}
        users: dict[str, str] = {}
        for symbol, where, expected in wanted:
            address = self.token(symbol, where)
            if address in users:
                raise DeploymentError(f"{where}: the token is already used by {users[address]}")
            users[address] = where
            held = self._ask(address, "decimals", where=where)
            if held > MAX_DECIMALS:
                raise DeploymentError(
                    f"{where}: the token has {held} decimals, at most {MAX_DECIMALS} work"
                )
            if expected not in (None, held):
                raise DeploymentError(f"{where}.decimals: {expected} given, the token has {held}")
            addresses[symbol], decimals[symbol] = address, held
        return addresses, decimals

    def token(self, name: str, where: str) -> str:
        """Return the address of a token."""
        return self._resolve(name, self._environment.tokens, "token", where)

    def rate_source(self, name: str | None, where: str) -> str:
        """Return the address of a token that has a redemption rate; the zero address for None."""
        if name is None:
            return ZERO_ADDRESS
        address = self.token(name, where)
        if self._ask(address, "rate", where=where) == 0:
            raise DeploymentError(f"{where}: {name} redeems for nothing")
        return address

    def feed(
        self, source: ChainlinkSource, max_staleness: int, where: str
    ) -> tuple[str, tuple[int, int]]:
        """Return the address of a feed and the bounds of its answers, at its decimals.

        It must have a price between them, as old as ``max_staleness`` and its heartbeat allow.
        """
        address = self._resolve(source.feed, self._environment.feeds, "feed", where)
        _, answer, _, updated_at, _ = self._ask(address, "latestRoundData", where=where)
        if answer <= 0:
            raise DeploymentError(f"{where}: feed {source.feed} has no price")
        decimals = self._ask(address, "decimals", where=where)
        if decimals > MAX_DECIMALS:
            raise DeploymentError(
                f"{where}: feed {source.feed} has {decimals} decimals, at most {MAX_DECIMALS} work"
            )
        try:
            bounds = source.bounds(decimals)
        except ValueError as error:
            raise DeploymentError(f"{where}: feed {source.feed}: {error}") from None
        if not bounds[0] < answer < bounds[1]:
            raise DeploymentError(
                f"{where}: feed {source.feed} answers {unscaled(answer, decimals)}, which is not "
                f"between {from_wad(source.min_answer)} and {from_wad(source.max_answer)}"
            )
        age = self._sender.timestamp() - updated_at
        limit = min(max_staleness, source.heartbeat)
        if age > limit:
            raise DeploymentError(
                f"{where}: the price of feed {source.feed} is {age} s old, the limit is {limit}"
            )
        return address, bounds

    def pool(self, source: UniswapV3TwapSource, where: str) -> tuple[str, str]:
        """Return the addresses of a pool whose history covers the window, and of the base token."""
        address = self._resolve(source.pool, self._environment.pools, "pool", where)
        self._ask(address, "observe", (source.window, 0), where=where)
        return address, self.token(source.base, where)

    def _resolve(self, name: str, known: Mapping[str, str], kind: str, where: str) -> str:
        address = known.get(name, name if is_address(name) else None)
        if address is None:
            choice = ", ".join(sorted(known)) or "none"
            raise DeploymentError(f"{where}: there is no {kind} {name} (known: {choice})")
        if not self._sender.code(address):
            raise DeploymentError(f"{where}: no contract at {address} ({kind} {name})")
        return checksum(address)

    def _ask(self, address: str, function: str, *args: Any, where: str) -> Any:
        """Return what a contract outside of the suite answers."""
        chosen = interface_of(_OUTSIDE).function(function)
        try:
            return chosen.decode(self._sender.call(address, chosen.encode(args)))
        except (DeploymentError, CodecError) as error:
            raise DeploymentError(
                f"{where}: {address} does not answer {function}: {error}"
            ) from None


def _view(name: str, inputs: Sequence[str], *outputs: str) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in inputs],
        "outputs": [{"name": "", "type": kind} for kind in outputs],
    }


_OUTSIDE = [
    _view("decimals", (), "uint8"),
    _view("rate", (), "uint256"),
    _view("latestRoundData", (), "uint80", "int256", "uint256", "uint256", "uint80"),
    _view("observe", ("uint32[]",), "int56[]", "uint160[]"),
]
