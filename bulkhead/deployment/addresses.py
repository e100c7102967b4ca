"""The address book: where everything of a deployment is, and with which code and parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from bulkhead import ROOT
from bulkhead.chain.artifacts import (
    UNISWAP_CONTRACTS,
    Artifacts,
    load_artifacts,
    uniswap_abi,
)
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.models import Model
from bulkhead.deployment.parameters import DeploymentParameters

DEPLOYMENTS = ROOT / "deployments"

WIRING = {
    "roles": "RoleRegistry",
    "oracle": "OracleAggregator",
    "pegMonitor": "PegMonitor",
    "riskParameters": "RiskParameters",
    "circuitBreaker": "CircuitBreaker",
    "collateralVault": "CollateralVault",
    "riskEngine": "RiskEngine",
    "accountOperators": "AccountOperators",
    "marginEngine": "MarginEngine",
    "perpExchange": "PerpExchange",
    "liquidityVault": "LiquidityVault",
    "insuranceFund": "InsuranceFund",
    "liquidationEngine": "LiquidationEngine",
    "signedOrders": "SignedOrders",
    "delayedOrders": "DelayedOrders",
}
"""Fields of the contracts' ``Compartment`` struct, and the contract that each one names."""


class AddressBookError(Exception):
    """An address book is missing, damaged, or of another chain."""


class AddressBook(Model):
    """Everything that a program needs to find and use a deployment. Immutable.

    Attributes:
        network: name of the network; also the file's name.
        chain_id: id of the chain.
        deployer: who deployed.
        block: number of the block in which the deployment was complete.
        settlement_token: symbol of the settlement token.
        contracts: address by contract name.
        code_hashes: keccak256 of each contract's runtime code, as 0x…, by the same name.
        adapters: addresses of each oracle asset's price adapters, in the order of its sources.
        tokens: address by symbol, the settlement token among them.
        decimals: decimals by symbol.
        feeds: address of each Chainlink-like feed by name.
        oracles: address of each Pyth contract by name.
        pools: address of each Uniswap v3 pool by name.
        markets: market ids by name.
        collaterals: collateral ids by name; id 0 is the settlement token.
        accounts: addresses of named accounts, on chains where there are such.
        url: where a local chain listens; None for others.
        parameters: what it was deployed with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str
    chain_id: int
    deployer: str
    block: int
    settlement_token: str
    contracts: dict[str, str]
    code_hashes: dict[str, str]
    adapters: dict[str, tuple[str, ...]]
    tokens: dict[str, str]
    decimals: dict[str, int]
    feeds: dict[str, str] = Field(default_factory=dict)
    oracles: dict[str, str] = Field(default_factory=dict)
    pools: dict[str, str] = Field(default_factory=dict)
    markets: dict[str, int]
    collaterals: dict[str, int]
    accounts: dict[str, str] = Field(default_factory=dict)
    url: str | None = None
    parameters: DeploymentParameters

    @property
    def wiring(self) -> dict[str, str]:
        """The compartment's wiring, as the contracts' constructors take it."""
        parts = {field: self.contracts[name] for field, name in WIRING.items()}
        return {"settlementToken": self.tokens[self.settlement_token], **parts}

    def contract(self, rpc: Rpc, name: str, artifacts: Artifacts | None = None) -> Contract:
        """Return one of the deployed contracts, ready to call.

        Args:
            rpc: the node.
            name: a name of ``contracts``, ``pools`` or ``oracles``, a token's symbol, or a feed's
                name.
            artifacts: where ABIs come from; None: the last build.

        Raises:
            AddressBookError: there is none of that name.
        """
        known = artifacts or load_artifacts(check=False)
        if name in self.contracts:
            abi = uniswap_abi(name) if name in UNISWAP_CONTRACTS else known[name].abi
            return Contract(rpc, self.contracts[name], abi, name)
        if name in self.pools:
            return Contract(rpc, self.pools[name], uniswap_abi("UniswapV3Pool"), name)
        if name in self.tokens:
            kind = {"WETH": "DevWETH9", "LST": "LiquidStakingToken"}.get(name, "DevToken")
            return Contract(rpc, self.tokens[name], known[kind].abi, name)
        if name in self.feeds:
            return Contract(rpc, self.feeds[name], known["DevAggregatorV3"].abi, name)
        if name in self.oracles:
            return Contract(rpc, self.oracles[name], known["DevPyth"].abi, name)
        raise AddressBookError(f"nothing named {name} was deployed on {self.network}")

    def save(self, path: Path | None = None) -> Path:
        """Write the book as JSON, all or nothing; return where: ``deployments/<network>.json``."""
        file = path or DEPLOYMENTS / f"{self.network}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".json.new")
        draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return draft.replace(file)

    @classmethod
    def load(cls, path: Path | str) -> AddressBook:
        """Read a book.

        Args:
            path: a file, or the name of a network.

        Raises:
            AddressBookError: there is none, or it is damaged.
        """
        file = Path(path)
        if file.suffix != ".json":
            file = DEPLOYMENTS / f"{path}.json"
        try:
            return cls.model_validate_json(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AddressBookError(
                f"{file} does not exist: start a chain with `ape run devnet`"
            ) from None
        except ValidationError as error:
            first: Any = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise AddressBookError(f"{file}: {field}: {first['msg']}") from None

    def replace(self, **changes: Any) -> AddressBook:
        """Return a copy with some fields exchanged."""
        return self.model_copy(update=changes)
