"""What is on the chain before the protocol is, looked at before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import is_address

from bulkhead.chain.codec import CodecError, checksum
from bulkhead.chain.contract import interface_of
from bulkhead.deployment.oracle_models import (
    MAX_GROWTH_DIVISOR,
    MAX_RATE,
    ChainlinkSource,
    ExchangeRateSource,
    OracleAssetParameters,
    PythSource,
    UniswapV3TwapSource,
)
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.peg_models import BackingParameters
from bulkhead.deployment.sender import DeploymentError, Sender
from bulkhead.deployment.units import WAD, from_wad, unscaled

ZERO_ADDRESS = "0x" + "00" * 20
MAX_DECIMALS = 18
MAX_SHARE_DECIMALS = 36
PYTH_EXPONENTS = -36, 18
"""Least and greatest exponent of a Pyth price that its adapter scales."""


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
        oracles: address of each Pyth contract by name.
    """

    network: str = "local"
    tokens: Mapping[str, str] = field(default_factory=dict)
    feeds: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, str] = field(default_factory=dict)
    roles: str | None = None
    contracts: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    oracles: Mapping[str, str] = field(default_factory=dict)


def external_environment(parameters: DeploymentParameters, network: str) -> Environment:
    """Return the environment that a parameter file itself names, for real networks."""
    external = parameters.external
    return Environment(
        network, external.tokens, external.feeds, external.pools, oracles=external.oracles
    )


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

    def queue(self, name: str | None, where: str) -> str:
        """Return the address of a token with a redemption queue; the zero address for None."""
        if name is None:
            return ZERO_ADDRESS
        address = self.token(name, where)
        self._ask(address, "queueDelay", 0, where=where)
        return address

    def reserves(self, backing: BackingParameters, where: str) -> tuple[str, str, int]:
        """Return the arguments of ``ProofOfReserve``: feed, token, heartbeat.

        Its feed must have answered, within the heartbeat.
        """
        feed = self._resolve(backing.feed, self._environment.feeds, "feed", f"{where}.feed")
        _, answer, _, updated_at, _ = self._ask(feed, "latestRoundData", where=where)
        age = self._sender.timestamp() - updated_at
        if answer < 0 or updated_at == 0 or not 0 <= age <= backing.heartbeat:
            raise DeploymentError(
                f"{where}: feed {backing.feed} attests {answer}, {age} s ago, the limit is "
                f"{backing.heartbeat}"
            )
        return feed, self.token(backing.token, f"{where}.token"), backing.heartbeat

    def uptime_feed(self, name: str, where: str) -> str:
        """Return the address of a feed that says whether the sequencer is up."""
        address = self._resolve(name, self._environment.feeds, "feed", where)
        _, answer, started_at, _, _ = self._ask(address, "latestRoundData", where=where)
        if answer not in (0, 1) or started_at == 0:
            raise DeploymentError(f"{where}: feed {name} answers {answer}: 0 is up and 1 is down")
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

    def pyth(self, source: PythSource, asset: OracleAssetParameters, where: str) -> str:
        """Return the address of Pyth, whose feed must have a price that would count now.

        Who finds none can bring Pyth an update first; anyone may.
        """
        address = self._resolve(source.pyth, self._environment.oracles, "oracle", where)
        feed, identity = f"feed {source.feed_id}", bytes.fromhex(source.feed_id[2:])
        price, confidence, exponent, published_at = self._ask(
            address, "getPriceUnsafe", identity, where=where
        )
        if price <= 0:
            raise DeploymentError(f"{where}: {feed} answers {price}, which is no price")
        least, most = PYTH_EXPONENTS
        if not least <= exponent <= most:
            raise DeploymentError(
                f"{where}: {feed} has the exponent {exponent}, which is not in [{least}, {most}]"
            )
        if confidence * WAD > price * asset.max_deviation:
            raise DeploymentError(
                f"{where}: {feed} answers {price} ± {confidence} · 10^{exponent}, which is less "
                f"certain than max_deviation, {from_wad(asset.max_deviation)} of the price"
            )
        age = self._sender.timestamp() - published_at
        if age > asset.max_staleness:
            raise DeploymentError(
                f"{where}: the price of {feed} is {age} s old, the limit is {asset.max_staleness}"
            )
        return address

    def rated_token(self, source: ExchangeRateSource, where: str) -> str:
        """Return the address of a token whose rate may grow by as much as the source allows."""
        address = self.token(source.token, where)
        rate = self._rate(address, source.rate_kind, where)
        if not 0 < rate <= MAX_RATE:
            raise DeploymentError(
                f"{where}: {source.token} redeems for {from_wad(rate)}, which is not above 0 and "
                f"at most {from_wad(MAX_RATE)}"
            )
        most = rate // MAX_GROWTH_DIVISOR
        if source.max_growth_per_day > most:
            raise DeploymentError(
                f"{where}.max_growth_per_day: {from_wad(source.max_growth_per_day)} is above the "
                f"limit {from_wad(most)} (one percent of the rate of {source.token})"
            )
        return address

    def _rate(self, token: str, kind: str, where: str) -> int:
        """Return what the exchange rate adapter would read as the rate, WAD."""
        if kind == "rate":
            return int(self._ask(token, "rate", where=where))
        if kind == "steth_per_token":
            return int(self._ask(token, "stEthPerToken", where=where))
        asset = self._ask(token, "asset", where=where)
        decimals = []
        for part, address, most in (
            ("share", token, MAX_SHARE_DECIMALS),
            ("asset", asset, MAX_DECIMALS),
        ):
            held = self._ask(address, "decimals", where=where)
            if held > most:
                raise DeploymentError(
                    f"{where}: the vault's {part} has {held} decimals, at most {most} work"
                )
            decimals.append(held)
        shares = 10 ** decimals[0]
        redeemed = self._ask(token, "convertToAssets", shares, where=where)
        return int(redeemed * 10 ** (MAX_DECIMALS - decimals[1]))

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
    _view("getPriceUnsafe", ("bytes32",), "int64", "uint64", "int32", "uint256"),
    _view("queueDelay", ("uint256",), "uint256"),
    _view("stEthPerToken", (), "uint256"),
    _view("asset", (), "address"),
    _view("convertToAssets", ("uint256",), "uint256"),
    _view("observe", ("uint32[]",), "int56[]", "uint160[]"),
]
