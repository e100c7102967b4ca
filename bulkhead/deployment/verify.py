"""Is what was deployed what was planned? Code, roles, and every parameter read back."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import interface_of
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.plan import Plan
from bulkhead.deployment.sender import DeploymentError, Sender


def verify(
    sender: Sender, parameters: DeploymentParameters, plan: Plan, artifacts: Artifacts
) -> dict[str, str]:
    """Compare a deployment with its plan; return the hash of each contract's runtime code.

    Raises:
        DeploymentError: something differs; the message says what, and both values.
    """
    return _Verifier(sender, parameters, plan, artifacts).verify()


def code_hash(sender: Sender, address: str) -> str:
    """Return keccak256 of the runtime code at an address, as 0x….

    Raises:
        DeploymentError: there is none.
    """
    code = sender.code(address)
    if not code:
        raise DeploymentError(f"no contract at {address}")
    return "0x" + keccak(code).hex()


class _Verifier:
    def __init__(
        self, sender: Sender, parameters: DeploymentParameters, plan: Plan, artifacts: Artifacts
    ) -> None:
        self.sender = sender
        self.parameters = parameters
        self.plan = plan
        self.artifacts = artifacts

    def verify(self) -> dict[str, str]:
        """See the module's function of this name."""
        addresses = dict(self.plan.contracts)
        for asset, adapters in self.plan.adapters.items():
            addresses |= {f"{asset} adapter {i}": a for i, a in enumerate(adapters, start=1)}
        for peg in self.parameters.pegs:
            if peg.backing is not None:
                addresses[f"{peg.name} reserves"] = self.plan.peg_sources[peg.name].backing
        hashes = {name: code_hash(self.sender, address) for name, address in addresses.items()}
        self._roles()
        self._oracle()
        self._risk()
        return hashes

    def _read(self, contract: str, function: str, *args: Any) -> Any:
        chosen = interface_of(self.artifacts[contract].abi).function(function)
        data = self.sender.call(self.plan.contracts[contract], chosen.encode(args))
        return chosen.decode(data)

    def _equal(self, what: str, actual: Any, wanted: Any) -> None:
        if actual != wanted:
            raise DeploymentError(f"verify: {what}: {actual} on chain, {wanted} planned")

    def _struct(self, what: str, actual: Any, wanted: dict[str, Any]) -> None:
        for field in actual._fields:
            self._equal(f"{what}.{field}", getattr(actual, field), wanted[field])

    def _roles(self) -> None:
        governor, deployer = self.plan.governor, self.sender.address
        roles = self.parameters.roles
        expected = [("GOVERNOR", governor, True)]
        if governor != deployer:
            expected.append(("GOVERNOR", deployer, False))
        expected += [("RISK_ADMIN", holder, True) for holder in roles.risk_admins]
        expected += [("GUARDIAN", holder, True) for holder in roles.guardians]
        for role, holder, wanted in expected:
            held = self._read("RoleRegistry", "hasRole", keccak(text=role), holder)
            self._equal(f"{role} of {holder}", held, wanted)

    def _oracle(self) -> None:
        p = self.parameters
        self._equal("seasoning", self._read("OracleAggregator", "seasoning"), p.seasoning)
        uptime = self._read("OracleAggregator", "uptimeFeed")
        self._equal("uptime.feed", uptime[0], self.plan.uptime_feed)
        grace_period = 0 if p.uptime is None else p.uptime.grace_period
        self._equal("uptime.grace_period", uptime[1], grace_period)
        for asset in self.parameters.oracle:
            where = f"oracle.{asset.name}"
            config, sources = self._read("OracleAggregator", "assetConfig", asset_id(asset.name))
            self._struct(where, config, asset.config())
            wanted = [
                (vote["adapter"], vote["share"])
                for vote in asset.votes(self.plan.adapters[asset.name])
            ]
            self._equal(f"{where}.sources", [tuple(s) for s in sources], wanted)
            self._priced(where, asset.name)
        for derived, depth in self.parameters.derivations:
            where = f"derived.{derived.name}"
            actual = self._read("OracleAggregator", "derivation", asset_id(derived.name))
            self._struct(where, actual[0], derived.derivation())
            self._equal(f"{where}: depth", actual[1], depth)
            self._priced(where, derived.name)
        for peg in self.parameters.pegs:
            actual = self._read("PegMonitor", "pegConfig", asset_id(peg.name))
            self._struct(f"pegs.{peg.name}", actual, peg.config(*self.plan.peg_sources[peg.name]))

    def _priced(self, where: str, asset: str) -> None:
        """Refuse an asset without a price, unless nobody can have reported one yet."""
        if asset in self.parameters.awaiting_reports:
            return
        if self._read("OracleAggregator", "latest", asset_id(asset)).price == 0:
            raise DeploymentError(f"verify: {where} has no price: do its sources answer?")

    def _correlations(self) -> None:
        p = self.parameters
        rows = self._read("RiskParameters", "correlationRows", list(range(len(p.markets))))
        size = len({name for pair in p.correlations for name in pair.markets})
        for i in range(len(p.markets)):
            for j in range(i):
                wanted = 0
                if i < size:
                    wanted = p.lower_triangle[i * (i - 1) // 2 + j] + 1
                pair = f"correlations.{p.markets[j].name}.{p.markets[i].name}"
                self._equal(pair, rows[i] >> 16 * j & 0xFFFF, wanted)
                self._equal(pair, rows[j] >> 16 * i & 0xFFFF, wanted)

    def _risk(self) -> None:
        p = self.parameters
        self._equal("markets", self._read("RiskParameters", "marketCount"), len(p.markets))
        count = self._read("RiskParameters", "collateralCount")
        self._equal("collaterals", count, len(p.collaterals))
        for i, market in enumerate(p.markets):
            where = f"markets.{market.name}"
            trading = self._read("RiskParameters", "marketTrading", i)
            self._struct(where, trading, market.trading())
            liquidation = self._read("RiskParameters", "marketLiquidation", i)
            self._struct(where, liquidation, market.liquidation())
        for i, collateral in enumerate(p.collaterals, start=1):
            config = self._read("RiskParameters", "collateralConfig", i)
            wanted = collateral.config(self.plan.tokens[collateral.symbol])
            self._struct(f"collaterals.{collateral.name}", config, wanted)
        actual = self._read("RiskParameters", "compartmentParameters")
        self._struct("compartment", actual, p.compartment.struct())
        interest = self._read("RiskParameters", "interestParameters")
        self._struct("interest", interest, p.interest.struct())
        actual = self._read("RiskParameters", "marginParameters")
        self._struct("margin", actual, p.margin.struct())
        self._struct("orders", self._read("RiskParameters", "orderParameters"), p.orders.struct())
        self._struct("pool", self._read("RiskParameters", "poolParameters"), p.pool.struct())
        self._correlations()
        timing = self._read("RiskParameters", "breakerTiming")
        self._struct("breaker.timing", timing, p.breaker.timing.struct())
        thresholds, prices, pegs = self._read("RiskParameters", "breakerThresholds")
        self._struct("breaker.thresholds", thresholds, p.breaker.thresholds.struct())
        wanted_prices = tuple(map(asset_id, p.breaker.watched_prices))
        self._equal("breaker.watched_prices", prices, wanted_prices)
        wanted_pegs = tuple(map(asset_id, p.breaker.watched_pegs))
        self._equal("breaker.watched_pegs", pegs, wanted_pegs)
