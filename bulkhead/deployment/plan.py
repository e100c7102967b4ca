"""Everything that a deployment will send, worked out and checked before anything is sent.

Every contract of a compartment gets the same struct of addresses in its constructor, so the
addresses must be known before anything is deployed: they follow from the deployer's nonce.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eth_utils.address import is_address
from eth_utils.crypto import keccak

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import Codec, CodecError, asset_id, checksum
from bulkhead.chain.contract import interface_of
from bulkhead.deployment.addresses import WIRING
from bulkhead.deployment.parameters import (
    ChainlinkSource,
    DeploymentParameters,
    OracleAssetParameters,
    Source,
)
from bulkhead.deployment.sender import DeploymentError, Sender, created_address

ZERO_ADDRESS = "0x" + "00" * 20
GOVERNOR = keccak(text="GOVERNOR")
RISK_ADMIN = keccak(text="RISK_ADMIN")
GUARDIAN = keccak(text="GUARDIAN")

_COMPARTMENT = (
    "CircuitBreaker",
    "CollateralVault",
    "MarginEngine",
    "PerpExchange",
    "LiquidityVault",
    "InsuranceFund",
    "LiquidationEngine",
)
_PERIPHERY = ("Lens",)
# Their constructors look at nothing that this plan has yet to deploy.
_STANDALONE = ("ChainlinkAdapter", "UniswapV3TwapAdapter", "RiskParameters")


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


class Step(NamedTuple):
    """One transaction of a plan.

    Attributes:
        label: what it does, for people.
        to: the callee; None deploys.
        data: calldata, or creation code with arguments.
        creates: where a deployment must end up.
    """

    label: str
    to: str | None
    data: bytes
    creates: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a deployment will send, and where everything will be. Nothing is sent yet."""

    steps: tuple[Step, ...]
    contracts: dict[str, str]
    adapters: dict[str, tuple[str, ...]]
    tokens: dict[str, str]
    decimals: dict[str, int]
    rate_sources: dict[str, str]
    wiring: dict[str, str]
    governor: str


def plan_core(
    sender: Sender,
    parameters: DeploymentParameters,
    environment: Environment,
    artifacts: Artifacts | None = None,
) -> Plan:
    """Return all that ``deploy_core`` would send; reads the chain, sends nothing.

    Raises:
        DeploymentError: something that the parameters name does not exist or does not fit.
        ArtifactError: the contracts are not compiled.
    """
    return _Planner(sender, parameters, environment, artifacts or load_artifacts()).plan()


class _Planner:
    def __init__(
        self,
        sender: Sender,
        parameters: DeploymentParameters,
        environment: Environment,
        artifacts: Artifacts,
    ) -> None:
        self.sender = sender
        self.parameters = parameters
        self.environment = environment
        self.artifacts = artifacts
        self.steps: list[Step] = []
        self.contracts: dict[str, str] = {}
        self.adapters: dict[str, tuple[str, ...]] = {}
        self.tokens: dict[str, str] = {}
        self.decimals: dict[str, int] = {}
        self.rate_sources: dict[str, str] = {}

    def plan(self) -> Plan:
        """Return the plan; see ``plan_core``."""
        p = self.parameters
        self._check_chain()
        self._check_tokens()
        self.nonce = self.sender.nonce()

        if self.environment.roles is None:
            self._deploy("RoleRegistry", self.sender.address)
        else:
            self._require_governor(self.environment.roles)
            self.contracts["RoleRegistry"] = self.environment.roles
        self._deploy("OracleAggregator", self.contracts["RoleRegistry"])
        self._deploy(
            "PegMonitor", self.contracts["RoleRegistry"], self.contracts["OracleAggregator"]
        )
        for asset in p.oracle:
            self.adapters[asset.name] = tuple(
                self._adapter(asset, i, source) for i, source in enumerate(asset.sources)
            )

        wiring = self._wiring()
        self._deploy(
            "RiskParameters",
            wiring,
            p.compartment.struct(),
            p.breaker.timing.struct(),
            p.breaker.thresholds.struct(),
            [asset_id(name) for name in p.breaker.watched_prices],
            [asset_id(name) for name in p.breaker.watched_pegs],
        )
        for name in (*_COMPARTMENT, *_PERIPHERY):
            if name in _COMPARTMENT or name in self.artifacts:
                self._deploy(name, wiring)
        for part, name in WIRING.items():
            if wiring[part] != self.contracts[name]:
                raise AssertionError(f"{name} is planned for two addresses")

        self._configure()
        governor = self._hand_over()
        return Plan(
            tuple(self.steps),
            self.contracts,
            self.adapters,
            self.tokens,
            self.decimals,
            self.rate_sources,
            wiring,
            governor,
        )

    # ------------------------------------------------------------------ checks

    def _check_chain(self) -> None:
        wanted, actual = self.parameters.chain_id, self.sender.chain_id()
        if wanted is not None and wanted != actual:
            raise DeploymentError(
                f"the parameters are for chain {wanted}, but this is chain {actual}"
            )

    def _check_tokens(self) -> None:
        p = self.parameters
        wanted: list[tuple[str, str, int | None]] = [(p.settlement_token, "settlement_token", None)]
        wanted.extend((c.symbol, f"collaterals.{c.name}", c.decimals) for c in p.collaterals)
        seen: dict[str, str] = {}
        for symbol, where, decimals in wanted:
            address = self._resolve(symbol, self.environment.tokens, "token", where)
            if address in seen:
                raise DeploymentError(f"{where}: the token is already used by {seen[address]}")
            seen[address] = where
            held = self._ask(address, "decimals", where=where)
            if held > 18:
                raise DeploymentError(f"{where}: the token has {held} decimals, at most 18 work")
            if decimals not in (None, held):
                raise DeploymentError(f"{where}.decimals: {decimals} given, the token has {held}")
            self.tokens[symbol] = address
            self.decimals[symbol] = held

    def _ask(self, address: str, function: str, *args: Any, where: str) -> Any:
        """Return what a contract outside of the suite answers."""
        chosen = interface_of(_OUTSIDE).function(function)
        try:
            return chosen.decode(self.sender.call(address, chosen.encode(args)))
        except (DeploymentError, CodecError) as error:
            raise DeploymentError(
                f"{where}: {address} does not answer {function}: {error}"
            ) from None

    def _resolve(self, name: str, known: Mapping[str, str], kind: str, where: str) -> str:
        """Return the address of something that must exist, by name or address."""
        address = known.get(name, name if is_address(name) else None)
        if address is None:
            choice = ", ".join(sorted(known)) or "none"
            raise DeploymentError(f"{where}: there is no {kind} {name} (known: {choice})")
        if not self.sender.code(address):
            raise DeploymentError(f"{where}: no contract at {address} ({kind} {name})")
        return checksum(address)

    def _require_governor(self, roles: str) -> None:
        function = interface_of(self.artifacts["RoleRegistry"].abi).function("hasRole")
        held = self.sender.call(roles, function.encode((GOVERNOR, self.sender.address)))
        if not function.decode(held):
            raise DeploymentError(f"{self.sender.address} is not a governor of {roles}")

    # ------------------------------------------------------------------ steps

    def _deploy(self, name: str, *args: Any, key: str | None = None) -> str:
        artifact = self.artifacts[name]
        if not artifact.bytecode:
            raise DeploymentError(f"{name} has no code to deploy")
        data = artifact.bytecode + self._encoded(name, interface_of(artifact.abi).constructor, args)
        if name in _STANDALONE:
            self._try(key or name, data)
        address = created_address(self.sender.address, self.nonce)
        self.nonce += 1
        self.steps.append(Step(f"deploy {key or name}", None, data, address))
        if key is None:
            self.contracts[name] = address
        return address

    @staticmethod
    def _encoded(label: str, codec: Codec, args: Sequence[Any]) -> bytes:
        try:
            return codec.encode(args)
        except CodecError as error:
            raise DeploymentError(
                f"{label}: parameters and contract do not match: {error}"
            ) from None

    def _try(self, label: str, data: bytes) -> None:
        """Let the node run a constructor without deploying: it checks its arguments."""
        try:
            self.sender.call(None, data)
        except DeploymentError as error:
            raise DeploymentError(f"{label} would be refused: {error}") from None

    def _call(self, contract: str, function: str, *args: Any, label: str) -> None:
        chosen = interface_of(self.artifacts[contract].abi).function(function)
        data = chosen.selector + self._encoded(label, chosen.inputs, args)
        self.steps.append(Step(label, self.contracts[contract], data))
        self.nonce += 1

    def _adapter(self, asset: OracleAssetParameters, i: int, source: Source) -> str:
        where = f"oracle.{asset.name}.sources.{i}"
        key = f"{asset.name} adapter {i + 1}"
        if isinstance(source, ChainlinkSource):
            feed = self._resolve(source.feed, self.environment.feeds, "feed", where)
            if self._ask(feed, "latestRoundData", where=where)[1] <= 0:
                raise DeploymentError(f"{where}: feed {source.feed} has no price")
            return self._deploy("ChainlinkAdapter", feed, key=key)
        pool = self._resolve(source.pool, self.environment.pools, "pool", where)
        base = self._resolve(source.base, self.environment.tokens, "token", where)
        self._ask(pool, "observe", (source.window, 0), where=where)
        return self._deploy(
            "UniswapV3TwapAdapter", pool, base, source.window, source.min_liquidity, key=key
        )

    def _wiring(self) -> dict[str, str]:
        """Return the struct, with the addresses that the next deployments will get."""
        wiring = {"settlementToken": self.tokens[self.parameters.settlement_token]}
        nonce = self.nonce
        for part, name in WIRING.items():
            if name in self.contracts:
                wiring[part] = self.contracts[name]
            else:  # In the order of deployment, which is that of WIRING.
                wiring[part] = created_address(self.sender.address, nonce)
                nonce += 1
        return wiring

    def _configure(self) -> None:
        p = self.parameters
        for asset in p.oracle:
            sources = [
                {"adapter": adapter, "weight": source.weight}
                for adapter, source in zip(self.adapters[asset.name], asset.sources, strict=True)
            ]
            self._call(
                "OracleAggregator",
                "configure",
                asset_id(asset.name),
                asset.config(),
                sources,
                label=f"configure price {asset.name}",
            )
            # At once, so that whatever is configured on it finds a price.
            self._call(
                "OracleAggregator", "record", asset_id(asset.name), label=f"record {asset.name}"
            )
        for peg in p.pegs:
            rate_source = ZERO_ADDRESS
            if peg.rate_source is not None:
                rate_source = self._resolve(
                    peg.rate_source,
                    self.environment.tokens,
                    "token",
                    f"pegs.{peg.name}.rate_source",
                )
            self.rate_sources[peg.name] = rate_source
            # Configuring pokes it too.
            self._call(
                "PegMonitor",
                "configure",
                asset_id(peg.name),
                peg.config(rate_source),
                label=f"configure peg {peg.name}",
            )
        for i, market in enumerate(p.markets):
            self._call(
                "RiskParameters",
                "setMarket",
                i,
                market.trading(),
                market.liquidation(),
                label=f"list market {market.name}",
            )
        for i, collateral in enumerate(p.collaterals, start=1):
            self._call(
                "RiskParameters",
                "setCollateral",
                i,
                collateral.config(self.tokens[collateral.symbol]),
                label=f"list collateral {collateral.name}",
            )
        # The breaker's reference prices start here.
        self._call("CircuitBreaker", "poke", label="poke circuit breaker")

    def _hand_over(self) -> str:
        """Grant the roles; the deployer's own goes last. Return the governor."""
        roles = self.parameters.roles
        grants: Sequence[tuple[bytes, str, Sequence[str]]] = (
            (RISK_ADMIN, "risk admin", roles.risk_admins),
            (GUARDIAN, "guardian", roles.guardians),
        )
        for role, title, holders in grants:
            for holder in holders:
                self._call(
                    "RoleRegistry",
                    "grantRole",
                    role,
                    holder,
                    label=f"grant {title} {_short(holder)}",
                )
        governor, deployer = roles.governor, self.sender.address
        if governor is None or governor == deployer:
            return deployer
        self._call(
            "RoleRegistry",
            "grantRole",
            GOVERNOR,
            governor,
            label=f"grant governor {_short(governor)}",
        )
        self._call(
            "RoleRegistry", "renounceRole", GOVERNOR, deployer, label="deployer gives up governance"
        )
        return governor


def _short(address: str) -> str:
    return f"{address[:6]}…{address[-4:]}"


def _view(name: str, inputs: Sequence[str], *outputs: str) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in inputs],
        "outputs": [{"name": "", "type": kind} for kind in outputs],
    }


_OUTSIDE = [
    _view("decimals", (), "uint8"),
    _view("latestRoundData", (), "uint80", "int256", "uint256", "uint256", "uint80"),
    _view("observe", ("uint32[]",), "int56[]", "uint160[]"),
]
