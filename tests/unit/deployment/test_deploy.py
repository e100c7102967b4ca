"""Everything is refused before it is sent, and checked after it was."""

from __future__ import annotations

import dataclasses

import pytest

from bulkhead.chain.artifacts import Artifact, ArtifactError
from bulkhead.deployment.deploy import Environment, deploy_core, external_environment, plan_core
from bulkhead.deployment.parameters import validated
from bulkhead.deployment.plan import GOVERNOR, GUARDIAN, RISK_ADMIN
from bulkhead.deployment.sender import DeploymentError, RpcSender

NOWHERE = "0x00000000000000000000000000000000000000AA"


def _changed(parameters, **changes):
    return validated({**parameters.model_dump(), **changes})


def _with(parameters, section, number, **changes):
    """Return parameters with one entry of a list changed."""
    entries = [dict(entry) for entry in parameters.model_dump()[section]]
    entries[number] |= changes
    return _changed(parameters, **{section: entries})


def test_deploy__second_suite__shares_nothing_but_the_world(world, sender, parameters, environment):
    steps = []
    book = deploy_core(
        sender, parameters, environment, artifacts=world.artifacts, progress=steps.append
    )
    assert steps[0] == "deploy RoleRegistry"
    assert steps[-1] == "verify"
    assert set(book.contracts) == set(book.code_hashes) - {k for k in book.code_hashes if " " in k}
    assert not set(book.contracts.values()) & set(world.book.contracts.values())
    assert book.tokens == world.book.tokens
    assert book.decimals == {"USDB": 6, "LST": 18, "WBTC": 8, "WETH": 18}
    assert book.block == world.rpc.block_number()
    assert book.parameters == parameters
    lens = book.contract(world.rpc, "Lens", world.artifacts)
    assert len(lens.call("compartment").markets) == 2


def test_deploy__wiring__is_what_the_contracts_hold(world, sender, parameters, environment):
    book = deploy_core(sender, parameters, environment, artifacts=world.artifacts)
    margin = book.contract(world.rpc, "MarginEngine", world.artifacts)
    vaults = ("LiquidityVault", "InsuranceFund")
    for part in ("PerpExchange", "LiquidationEngine", "DelayedOrders", *vaults):
        # Only parts of the compartment may take its lock.
        world.rpc.set_balance(book.contracts[part], 10**18)
        margin.transact("enter", sender=book.contracts[part])
    assert book.wiring["settlementToken"] == book.tokens["USDB"]


def test_deploy__same_twice__same_code(world, sender, parameters, environment):
    first = deploy_core(sender, parameters, environment, artifacts=world.artifacts)
    again = deploy_core(sender, parameters, environment, artifacts=world.artifacts)
    assert first.contracts["RoleRegistry"] != again.contracts["RoleRegistry"]
    assert first.code_hashes["RoleRegistry"] == again.code_hashes["RoleRegistry"]
    # Immutables are part of the code.
    assert first.code_hashes["MarginEngine"] != again.code_hashes["MarginEngine"]


def test_deploy__roles__handed_over(world, sender, parameters, environment):
    governor, guardian, admin = (world.address(who) for who in ("alice", "bob", "dave"))
    roles = {"governor": governor, "guardians": [guardian], "risk_admins": [admin]}
    book = deploy_core(
        sender, _changed(parameters, roles=roles), environment, artifacts=world.artifacts
    )
    registry = book.contract(world.rpc, "RoleRegistry", world.artifacts)
    assert registry.call("hasRole", GOVERNOR, governor)
    assert not registry.call("hasRole", GOVERNOR, sender.address)
    assert registry.call("hasRole", GUARDIAN, guardian)
    assert registry.call("hasRole", RISK_ADMIN, admin)


def test_deploy__shared_roles__not_deployed_again(world, parameters):
    environment = Environment(
        "third", world.book.tokens, world.book.feeds, roles=world.roles.address
    )
    governor = RpcSender(world.rpc, world.governor)
    book = deploy_core(governor, parameters, environment, artifacts=world.artifacts)
    assert book.contracts["RoleRegistry"] == world.roles.address


def test_plan__shared_roles_of_others__refused(world, sender, parameters):
    environment = Environment(
        "third", world.book.tokens, world.book.feeds, roles=world.roles.address
    )
    with pytest.raises(DeploymentError, match="not a governor"):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__nothing_is_sent(world, sender, parameters, environment):
    before = world.rpc.block_number()
    plan = plan_core(sender, parameters, environment, world.artifacts)
    assert world.rpc.block_number() == before
    assert len([step for step in plan.steps if step.creates]) == 22
    assert plan.governor == sender.address


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, e: (_changed(p, chain_id=1), e), "are for chain 1, but this is chain 31337"),
        (
            lambda p, e: (p, dataclasses.replace(e, tokens={"USDB": e.tokens["USDB"]})),
            r"collaterals.LST: there is no token LST \(known: USDB\)",
        ),
        (
            lambda p, e: (p, dataclasses.replace(e, tokens={**e.tokens, "LST": NOWHERE})),
            "collaterals.LST: no contract at 0x0+AA",
        ),
        (
            lambda p, e: (p, dataclasses.replace(e, tokens={**e.tokens, "LST": e.feeds["BTC-1"]})),
            "collaterals.LST.decimals: 18 given, the token has 8",
        ),
        (
            lambda p, e: (p, dataclasses.replace(e, tokens={**e.tokens, "WETH": e.tokens["USDB"]})),
            "collaterals.WETH: the token is already used by settlement_token",
        ),
        (
            lambda p, e: (_with(p, "collaterals", 1, decimals=18), e),
            "collaterals.WBTC.decimals: 18 given, the token has 8",
        ),
        (
            lambda p, e: (p, dataclasses.replace(e, feeds={})),
            r"oracle.ETH.sources.0: there is no feed ETH-1 \(known: none\)",
        ),
        (
            lambda p, e: (p, dataclasses.replace(e, feeds={**e.feeds, "ETH-2": e.tokens["USDB"]})),
            "oracle.ETH.sources.1: 0x.* does not answer latestRoundData",
        ),
    ],
)
def test_plan__unfit_environment__named(world, sender, parameters, environment, change, message):
    parameters, environment = change(parameters, environment)
    nonce = sender.nonce()
    with pytest.raises(DeploymentError, match=message):
        deploy_core(sender, parameters, environment, artifacts=world.artifacts)
    assert sender.nonce() == nonce


def test_plan__feed_without_price__named(world, sender, parameters, environment):
    feed = world.deploy("DevAggregatorV3", 8, "new")
    environment = dataclasses.replace(
        environment, feeds={**environment.feeds, "BTC-2": feed.address}
    )
    with pytest.raises(DeploymentError, match=r"oracle\.BTC.sources.1: feed BTC-2 has no price"):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__feed_too_old__age_and_limit_named(world, sender, parameters, environment):
    world.skip(3_601)
    with pytest.raises(DeploymentError, match=r"feed ETH-1 is 36\d\d s old, the limit is 3600"):
        plan_core(sender, parameters, environment, world.artifacts)


def _with_feed(parameters, asset, **changes):
    """Return parameters with the first feed of an asset changed."""
    sources = [source.model_dump() for source in parameters.oracle[asset].sources]
    sources[0] |= changes
    return _with(parameters, "oracle", asset, sources=sources)


def test_plan__feed_past_its_heartbeat__age_and_limit_named(world, sender, parameters, environment):
    parameters = _with_feed(parameters, 0, heartbeat=60)
    world.skip(120)
    with pytest.raises(DeploymentError, match=r"feed ETH-1 is \d+ s old, the limit is 60"):
        plan_core(sender, parameters, environment, world.artifacts)


@pytest.mark.parametrize("changes", [{"min_answer": 3_000}, {"max_answer": 3_000}])
def test_plan__feed_at_a_bound__answer_and_bounds_named(
    sender, parameters, environment, world, changes
):
    parameters = _with_feed(parameters, 0, **changes)
    with pytest.raises(DeploymentError, match=r"ETH-1 answers 3000, which is not between"):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__bound_finer_than_the_feed__named(world, sender, parameters, environment):
    parameters = _with_feed(parameters, 0, min_answer="10.000000000000000001")
    message = r"feed ETH-1: min_answer: 10\.000000000000000001 has more than 8 decimals"
    with pytest.raises(DeploymentError, match=message):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__no_rate__named(world, sender, parameters, environment):
    parameters = _with(parameters, "pegs", 0, rate_source="WETH")
    with pytest.raises(DeploymentError, match=r"pegs\.LST\.rate_source: 0x.* not answer rate"):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__contract_refuses__said_before_anything_is_sent(
    world, sender, parameters, environment
):
    # Past the model's own validation, as if its bounds were wrong.
    compartment = parameters.compartment.model_copy(update={"dust_units": 0})
    parameters = parameters.model_copy(update={"compartment": compartment})
    with pytest.raises(DeploymentError, match=r'RiskParameters would be refused: .*"dustUnits", 0'):
        plan_core(sender, parameters, environment, world.artifacts)


def test_plan__contract_not_built__said(world, sender, parameters, environment):
    artifacts = world.artifacts.replace(Artifact("PegMonitor", [], b"", "gone"))
    with pytest.raises(DeploymentError, match="PegMonitor has no code"):
        plan_core(sender, parameters, environment, artifacts)
    with pytest.raises(ArtifactError, match="ape compile"):
        _ = world.artifacts["Nothing"]


def test_plan__contract_of_other_shape__said(world, sender, parameters, environment):
    other = dataclasses.replace(
        world.artifacts["OracleAggregator"], abi=world.artifacts["PegMonitor"].abi
    )
    with pytest.raises(DeploymentError, match="OracleAggregator: parameters and contract do not"):
        plan_core(sender, parameters, environment, world.artifacts.replace(other))


def test_deploy__deployer_busy_elsewhere__stops(world, sender, parameters, environment):
    """Predicted addresses do not hold if the account sends something in between."""

    def disturb(label: str) -> None:
        if label == "deploy RiskParameters":
            world.rpc.send_sync(sender.address, sender.address, b"")

    with pytest.raises(DeploymentError, match=r"deploy RiskParameters: is at .* instead of"):
        deploy_core(sender, parameters, environment, artifacts=world.artifacts, progress=disturb)


def test_deploy__changed_before_verification__noticed(world, sender, parameters, environment):
    plan = plan_core(sender, parameters, environment, world.artifacts)
    risk = plan.contracts["RiskParameters"]
    changed = {**parameters.compartment.struct(), "dustUnits": 77}

    def meddle(label: str) -> None:
        if label == "verify":
            data = world.risk.encode("setCompartment", changed)
            sender.send(risk, data, "meddle")

    with pytest.raises(DeploymentError, match=r"compartment\.dustUnits: 77 on chain, 1 planned"):
        deploy_core(sender, parameters, environment, artifacts=world.artifacts, progress=meddle)


def test_external_environment__file__names_everything(parameters, world):
    external = {"tokens": world.book.tokens, "feeds": world.book.feeds}
    environment = external_environment(_changed(parameters, external=external), "net")
    assert environment.network == "net"
    assert environment.tokens == world.book.tokens
    assert environment.feeds == world.book.feeds
    assert environment.pools == {}
