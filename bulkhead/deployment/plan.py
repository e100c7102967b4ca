"""Everything that a deployment will send, worked out and checked before anything is sent.

Every contract of a compartment gets the same struct of addresses in its constructor, so the
addresses must be known before anything is deployed: they follow from the deployer's nonce.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import Codec, CodecError, asset_id
from bulkhead.chain.contract import interface_of
from bulkhead.deployment.adapters_plan import ADAPTERS, adapter_of
from bulkhead.deployment.addresses import WIRING
from bulkhead.deployment.parameters import (
    DeploymentParameters,
    OracleAssetParameters,
    PegParameters,
)
from bulkhead.deployment.sender import DeploymentError, Sender, created_address
from bulkhead.deployment.survey import ZERO_ADDRESS, Environment, Survey

GOVERNOR = keccak(text="GOVERNOR")
RISK_ADMIN = keccak(text="RISK_ADMIN")
GUARDIAN = keccak(text="GUARDIAN")

_COMPARTMENT = (
    "CircuitBreaker",
    "CollateralVault",
    "RiskEngine",
    "AccountOperators",
    "MarginEngine",
    "PerpExchange",
    "LiquidityVault",
    "InsuranceFund",
    "LiquidationEngine",
    "SignedOrders",
    "DelayedOrders",
)
_PERIPHERY = ("Lens",)
_UNWIRED = ("AccountOperators",)
"""They call nobody, so they need no addresses."""
# Their constructors look at nothing that this plan has yet to deploy.
_STANDALONE = (*ADAPTERS, "ProofOfReserve", "RiskParameters")


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


class PegSources(NamedTuple):
    """Where a pegged asset's signals come from; the zero address where there is no such source."""

    rate: str
    backing: str
    queue: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a deployment will send, and where everything will be. Nothing is sent yet."""

    steps: tuple[Step, ...]
    contracts: dict[str, str]
    adapters: dict[str, tuple[str, ...]]
    tokens: dict[str, str]
    decimals: dict[str, int]
    peg_sources: dict[str, PegSources]
    uptime_feed: str
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
        self.survey = Survey(sender, environment)
        self.artifacts = artifacts
        self.steps: list[Step] = []
        self.contracts: dict[str, str] = {}
        self.adapters: dict[str, tuple[str, ...]] = {}
        self.tokens: dict[str, str] = {}
        self.decimals: dict[str, int] = {}
        self.peg_sources: dict[str, PegSources] = {}
        self.uptime_feed = ZERO_ADDRESS

    def plan(self) -> Plan:
        """Return the plan; see ``plan_core``."""
        p = self.parameters
        self.survey.check_chain(p.chain_id)
        self.tokens, self.decimals = self.survey.tokens(p)
        self.nonce = self.sender.nonce()

        if self.environment.roles is None:
            self._deploy("RoleRegistry", self.sender.address)
        else:
            self._require_governor(self.environment.roles)
            self.contracts["RoleRegistry"] = self.environment.roles
        self._deploy("OracleAggregator", self.contracts["RoleRegistry"], p.seasoning)
        self._deploy(
            "PegMonitor", self.contracts["RoleRegistry"], self.contracts["OracleAggregator"]
        )
        for asset in p.oracle:
            self.adapters[asset.name] = self._adapters(asset)
        # Before whatever refers to an asset, so that it may ask whether the oracle knows it.
        self._configure_prices()

        wiring = self._wiring()
        self._deploy(
            "RiskParameters",
            wiring,
            p.compartment.struct(),
            p.interest.struct(),
            p.margin.struct(),
            p.orders.struct(),
            p.pool.struct(),
            p.breaker.timing.struct(),
            p.breaker.thresholds.struct(),
            [asset_id(name) for name in p.breaker.watched_prices],
            [asset_id(name) for name in p.breaker.watched_pegs],
        )
        for name in (*_COMPARTMENT, *_PERIPHERY):
            if name in _COMPARTMENT or name in self.artifacts:
                self._deploy(name, *(() if name in _UNWIRED else (wiring,)))
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
            self.peg_sources,
            self.uptime_feed,
            wiring,
            governor,
        )

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

    def _adapters(self, asset: OracleAssetParameters) -> tuple[str, ...]:
        """Deploy one adapter per source of an asset; return their addresses."""
        addresses = []
        for i, source in enumerate(asset.sources):
            where = f"oracle.{asset.name}.sources.{i}"
            adapter = adapter_of(self.survey, asset, source, where)
            key = f"{asset.name} adapter {i + 1}"
            addresses.append(self._deploy(adapter.contract, *adapter.args, key=key))
        return tuple(addresses)

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

    def _configure_prices(self) -> None:
        """Tell the oracle its assets, then what is derived from them, then the pegs on either."""
        p = self.parameters
        if p.uptime is not None:
            self.uptime_feed = self.survey.uptime_feed(p.uptime.feed, "uptime.feed")
            self._call(
                "OracleAggregator",
                "setUptimeFeed",
                self.uptime_feed,
                p.uptime.grace_period,
                label="set the sequencer's uptime feed",
            )
        for asset in p.oracle:
            self._call(
                "OracleAggregator",
                "configure",
                asset_id(asset.name),
                asset.config(),
                asset.votes(self.adapters[asset.name]),
                label=f"configure price {asset.name}",
            )
            # At once, so that whatever is configured on it finds a price.
            self._call(
                "OracleAggregator", "record", asset_id(asset.name), label=f"record {asset.name}"
            )
        for derived, _ in p.derivations:
            self._call(
                "OracleAggregator",
                "derive",
                asset_id(derived.name),
                derived.derivation(),
                label=f"derive price {derived.name}",
            )
        for peg in p.pegs:
            self.peg_sources[peg.name] = sources = self._peg_sources(peg)
            # Configuring pokes it too.
            self._call(
                "PegMonitor",
                "configure",
                asset_id(peg.name),
                peg.config(*sources),
                label=f"configure peg {peg.name}",
            )

    def _peg_sources(self, peg: PegParameters) -> PegSources:
        where = f"pegs.{peg.name}"
        backing = ZERO_ADDRESS
        if peg.backing is not None:
            arguments = self.survey.reserves(peg.backing, f"{where}.backing")
            backing = self._deploy("ProofOfReserve", *arguments, key=f"{peg.name} reserves")
        return PegSources(
            self.survey.rate_source(peg.rate_source, f"{where}.rate_source"),
            backing,
            self.survey.queue(peg.queue, f"{where}.queue"),
        )

    def _configure(self) -> None:
        """List markets and collaterals."""
        p = self.parameters
        for i, market in enumerate(p.markets):
            self._call(
                "RiskParameters",
                "setMarket",
                i,
                market.trading(),
                market.liquidation(),
                label=f"list market {market.name}",
            )
        if p.correlations:
            self._call(
                "RiskParameters",
                "setCorrelations",
                p.lower_triangle,
                label="set correlations between markets",
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
