"""Derived assets of a file on the chain: planned after their parts, priced, and read back."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import ContractReverted
from bulkhead.deployment.deploy import deploy_core, plan_core
from bulkhead.deployment.parameters import DerivedParameters, validated
from bulkhead.deployment.sender import DeploymentError
from bulkhead.deployment.verify import verify

WAD = 10**18
VALID = 3
NO_PART = b"\0" * 32
ENTRIES = [
    # Against their order: what comes first needs what comes last.
    {"name": "BTC/LST", "operation": "quotient", "left": "BTC", "right": "LST/USDB"},
    {"name": "ETH/LST", "operation": "inverse", "left": "LST/ETH"},
    {"name": "LST/USDB", "operation": "product", "left": "LST/ETH", "right": "ETH"},
]


def with_derived(parameters, *entries, **changes):
    return validated({**parameters.model_dump(), "derived": list(entries), **changes})


@pytest.fixture
def deploy(world, sender, environment):
    """Deploy a suite; return a function that reads the price of one of its assets."""

    def _deploy(parameters):
        book = deploy_core(sender, parameters, environment, artifacts=world.artifacts)
        return book, book.contract(world.rpc, "OracleAggregator", world.artifacts)

    return _deploy


def test_deploy__derived_in_any_order__priced_by_their_parts(world, deploy, parameters):
    world.publish("LST/ETH", 4 * WAD // 5)
    _, oracle = deploy(with_derived(parameters, *ENTRIES))
    expected = {"LST/USDB": 2_400 * WAD, "ETH/LST": 5 * WAD // 4, "BTC/LST": 25 * WAD}
    for name, price in expected.items():
        latest = oracle.call("latest", asset_id(name))
        assert (latest.price, latest.status) == (price, VALID), name
    rule, depth = oracle.call("derivation", asset_id("BTC/LST"))
    assert (rule.left, rule.right) == (asset_id("BTC"), asset_id("LST/USDB"))
    assert (rule.operation, depth) == (2, 3)
    rule, depth = oracle.call("derivation", asset_id("ETH/LST"))
    assert (rule.left, rule.right, rule.operation, depth) == (asset_id("LST/ETH"), NO_PART, 0, 2)


def test_deploy__peg_market_and_collateral_on_derived_assets__work(world, deploy, parameters):
    """The peg's market ratio is the inverse of an inverse; the market's index is a product."""
    entries = [
        *ENTRIES[1:],
        {"name": "LST/ETH'", "operation": "inverse", "left": "ETH/LST"},
    ]
    data = parameters.model_dump()
    pegs, markets, collaterals = (list(data[k]) for k in ("pegs", "markets", "collaterals"))
    pegs[0] = pegs[0] | {"market_ratio": "LST/ETH'"}
    markets[0] = markets[0] | {"index_asset": "LST/USDB"}
    collaterals[2] = collaterals[2] | {"asset": "LST/USDB"}
    changed = with_derived(
        parameters,
        *entries,
        pegs=pegs,
        markets=markets,
        collaterals=collaterals,
        breaker=data["breaker"] | {"watched_prices": ["LST/USDB", "BTC"]},
    )
    world.publish("LST/ETH", WAD // 2)
    book, _ = deploy(changed)
    peg = book.contract(world.rpc, "PegMonitor", world.artifacts)
    assert peg.call("pegState", asset_id("LST")).marketRate == WAD // 2
    exchange = book.contract(world.rpc, "PerpExchange", world.artifacts)
    assert exchange.call("indexPrice", 0).price == 1_500 * WAD


def test_derive__rate_times_underlying__is_what_redemption_pays(world, deploy, parameters):
    """An exchange rate over an asset: the rate is an asset of its own, the price a product."""
    rate = {
        "kind": "exchange_rate",
        "token": "LST",
        "rate_kind": "rate",
        "max_growth_per_day": "0.001",
        "share": 1,
    }
    asset = parameters.oracle[2].model_dump()
    asset |= {"name": "LST-RATE", "sources": [rate]}
    fair = {"name": "LST-FAIR", "operation": "product", "left": "LST-RATE", "right": "ETH"}
    oracle = [*parameters.model_dump()["oracle"], asset]
    pooled, nobody = world.lst.call("totalPooled"), world.address("dave")
    world.lst.transact("slash", pooled // 10, nobody, sender=world.governor)
    _, aggregator = deploy(with_derived(parameters, fair, oracle=oracle))
    redeems = world.lst.call("rate")
    assert 8 * WAD // 10 < redeems < WAD
    assert aggregator.call("latest", asset_id("LST-FAIR")).price == redeems * 3_000


def test_plan__derived__one_call_each_that_later_addresses_count(
    world, sender, environment, parameters
):
    """Addresses follow from nonces: what is sent before a deployment counts."""
    plan = plan_core(sender, with_derived(parameters, *ENTRIES), environment, world.artifacts)
    without = plan_core(sender, with_derived(parameters), environment, world.artifacts)
    assert len(plan.steps) == len(without.steps) + 3
    assert plan.contracts["OracleAggregator"] == without.contracts["OracleAggregator"]
    assert plan.contracts["RiskParameters"] != without.contracts["RiskParameters"]
    labels = [step.label for step in plan.steps if step.label.startswith("derive")]
    names = ("LST/USDB", "BTC/LST", "ETH/LST")
    assert labels == [f"derive price {name}" for name in names]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operation": "quotient"}, r"derived\.LST/USDB\.operation: 1 on chain, 2 planned"),
        ({"right": "BTC"}, r"derived\.LST/USDB\.right: b'ETH.* on chain, b'BTC.* planned"),
        ({"left": "BTC"}, r"derived\.LST/USDB\.left: b'LST/ETH.* on chain, b'BTC.* planned"),
    ],
)
def test_verify__derived_otherwise__named(world, sender, environment, parameters, changes, message):
    plan = plan_core(sender, with_derived(parameters, ENTRIES[2]), environment, world.artifacts)
    for step in plan.steps:
        sender.send(step.to, step.data, step.label)
    verify(sender, with_derived(parameters, ENTRIES[2]), plan, world.artifacts)
    other = with_derived(parameters, ENTRIES[2] | changes)
    with pytest.raises(DeploymentError, match=message):
        verify(sender, other, plan, world.artifacts)


def test_verify__derived_price_of_zero__refused(world, sender, environment, parameters):
    """10^-10 · 10^-10 is nothing in WAD; each part alone has a price."""
    sources = [
        source.model_dump() | {"min_answer": 0, "max_answer": 10**18}
        for source in parameters.oracle[0].sources
    ]
    oracle = [entry.model_dump() for entry in parameters.oracle]
    oracle[0] = oracle[0] | {"sources": sources}
    world.publish("ETH", 10**10 * WAD)
    entries = (
        {"name": "TINY", "operation": "inverse", "left": "ETH"},
        {"name": "NOTHING", "operation": "product", "left": "TINY", "right": "TINY"},
    )
    changed = with_derived(parameters, *entries, oracle=oracle)
    with pytest.raises(DeploymentError, match=r"verify: derived\.NOTHING has no price"):
        deploy_core(sender, changed, environment, artifacts=world.artifacts)


def test_derivation__of_a_file__is_what_the_contract_refuses_where_the_model_does(devnet):
    """Past the models' own validation: the contract wants the same of parts and depth."""
    good = DerivedParameters(name="A", operation="inverse", left="ETH").derivation()
    used = good | {"right": asset_id("BTC")}
    unknown = good | {"left": asset_id("DOGE")}
    missing = DerivedParameters(name="A", operation="product", left="ETH", right="ETH")
    missing = missing.derivation() | {"right": NO_PART}
    for rule, error in (
        (used, "OracleAggregator_UnusedPart"),
        (unknown, "OracleAggregator_UnknownAsset"),
        (missing, "OracleAggregator_UnknownAsset"),
    ):
        with pytest.raises(ContractReverted, match=error):
            devnet.oracle.call("derive", asset_id("A"), rule, sender=devnet.governor)
    devnet.oracle.call("derive", asset_id("A"), good, sender=devnet.governor)


def test_deploy__busy_between_prices_and_compartment__stops(world, sender, environment, parameters):
    """Addresses are worked out for the nonce that follows the configuration of prices."""

    def disturb(label: str) -> None:
        if label == "configure peg LST":
            world.rpc.send_sync(sender.address, sender.address, b"")

    with pytest.raises(DeploymentError, match=r"deploy RiskParameters: is at .* instead of"):
        deploy_core(sender, parameters, environment, artifacts=world.artifacts, progress=disturb)
