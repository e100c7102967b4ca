"""Every kind of source, deployed from a file: it answers, or is refused before anything is sent."""

from __future__ import annotations

import dataclasses

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, interface_of
from bulkhead.deployment.deploy import deploy_core, external_environment, plan_core
from bulkhead.deployment.oracle_models import PythSource, SignedReportSource
from bulkhead.deployment.parameters import ParameterError, validated
from bulkhead.deployment.sender import DeploymentError
from bulkhead.deployment.units import from_basis_points

WAD = 10**18
STALE, VALID = 0, 3
FEE = 3
FEED = "0x" + "0a" * 32
KEYS = sorted(
    (Account.from_key(i.to_bytes(32)) for i in (1, 2, 3)), key=lambda key: int(key.address, 16)
)
PYTH = {"kind": "pyth", "pyth": "Pyth", "feed_id": FEED}
RATE = {
    "kind": "exchange_rate",
    "token": "RATED",
    "rate_kind": "rate",
    "max_growth_per_day": "0.01",
}
REPORTS = {
    "kind": "signed_report",
    "signers": [key.address for key in reversed(KEYS)],
    "threshold": 2,
    "max_age": "10m",
}


@pytest.fixture
def pyth(world):
    """A Pyth that knows nothing yet."""
    return world.deploy("DevPyth", FEE)


@pytest.fixture
def publish(world, pyth):
    """Let Pyth have a price; its moving average is another one."""

    def _publish(price, conf=0, expo=-8, age=0):
        at = world.now - age
        fields = bytes.fromhex(FEED[2:]), price, conf, expo, price + 1, conf, at, at - 1
        update = pyth.call("createPriceFeedUpdateData", *fields)
        pyth.transact("updatePriceFeeds", [update], sender=world.governor, value=FEE)

    return _publish


@pytest.fixture
def rated(world):
    """A token that redeems at 1.1, however it is asked."""
    return world.deploy("ScriptedRate", 18, 11 * WAD // 10)


@pytest.fixture
def equipped(environment, pyth, rated):
    """The world with a Pyth, a token with a rate, and what there was."""
    return dataclasses.replace(
        environment,
        oracles={"Pyth": pyth.address},
        tokens={**environment.tokens, "RATED": rated.address},
    )


def with_asset(parameters, *sources, **changes):
    """Return parameters with one more asset, NEW, over some sources of equal shares."""
    equal = 10_000 // len(sources)
    shares = [10_000 - equal * (len(sources) - 1)] + [equal] * (len(sources) - 1)
    entry = {
        "name": "NEW",
        "max_staleness": "1h",
        "max_cache_age": 15,
        "quorum": 1,
        "confirmation_delay": 30,
        "max_deviation": "0.05",
        "max_confidence": "0.05",
        "max_move": "0.1",
        "volatility_period": "1d",
        "initial_volatility": "0.05",
        "sources": [
            source | {"share": from_basis_points(share)}
            for source, share in zip(sources, shares, strict=True)
        ],
    }
    oracle = [*parameters.model_dump()["oracle"], entry | changes]
    return validated({**parameters.model_dump(), "oracle": oracle})


@pytest.fixture
def deploy(world, sender, equipped, parameters):
    """Deploy a suite with one more asset; return its oracle and the asset's adapters."""

    def _deploy(*sources, **changes):
        changed = with_asset(parameters, *sources, **changes)
        book = deploy_core(sender, changed, equipped, artifacts=world.artifacts)
        kinds = {
            "pyth": "PythAdapter",
            "exchange_rate": "ExchangeRateAdapter",
            "signed_report": "SignedReportAdapter",
        }
        adapters = [
            Contract(world.rpc, address, world.artifacts[kinds[source["kind"]]].abi, "adapter")
            for address, source in zip(book.adapters["NEW"], sources, strict=True)
        ]
        return book.contract(world.rpc, "OracleAggregator", world.artifacts), adapters

    return _deploy


@pytest.fixture
def refused(world, sender, equipped, parameters):
    """Expect that a suite with one more asset is refused, with a message, and nothing is sent."""

    def _refused(source, message, environment=equipped, **changes):
        nonce = sender.nonce()
        changed = with_asset(parameters, source, **changes)
        with pytest.raises(DeploymentError, match=message):
            deploy_core(sender, changed, environment, artifacts=world.artifacts)
        assert sender.nonce() == nonce

    return _refused


# ---------------------------------------------------------------- answering


def test_deploy__pyth__answers_through_the_aggregator(world, deploy, pyth, publish):
    publish(2_000 * 10**8, 10**8)
    oracle, [adapter] = deploy(PYTH)
    assert adapter.call("pyth") == pyth.address
    assert adapter.call("feedId") == bytes.fromhex(FEED[2:])
    price = oracle.call("latest", asset_id("NEW"))
    assert (price.price, price.status) == (2_000 * WAD, VALID)
    publish(2_100 * 10**8)
    world.skip(16)
    assert oracle.call("latest", asset_id("NEW")).price == 2_100 * WAD


@pytest.mark.parametrize(
    ("rate_kind", "number"), [("vault", 0), ("steth_per_token", 1), ("rate", 2)]
)
def test_deploy__exchange_rate__answers_through_the_aggregator(deploy, rated, rate_kind, number):
    oracle, [adapter] = deploy(RATE | {"rate_kind": rate_kind})
    assert (adapter.call("token"), adapter.call("kind")) == (rated.address, number)
    assert adapter.call("maxGrowthPerDay") == WAD // 100
    price = oracle.call("latest", asset_id("NEW"))
    assert (price.price, price.status) == (11 * WAD // 10, VALID)


def test_deploy__vault_of_other_decimals__rate_as_the_adapter_reads_it(world, deploy, equipped):
    """6 decimals of the asset, 9 of the share: the survey's rate is the adapter's."""
    vault = world.deploy("DevVault", world.usdb.address, 3)
    source = RATE | {"token": vault.address, "rate_kind": "vault"}
    oracle, [adapter] = deploy(source)
    assert adapter.call("rawRate") == WAD
    assert oracle.call("latest", asset_id("NEW")).price == WAD


def test_deploy__signed_report__answers_once_reported(world, deploy):
    oracle, [adapter] = deploy(REPORTS)
    assert adapter.call("signers") == tuple(key.address for key in KEYS)
    assert (adapter.call("threshold"), adapter.call("maxAge")) == (2, 600)
    assert adapter.call("asset") == asset_id("NEW")
    assert oracle.call("latest", asset_id("NEW")).status == STALE
    adapter.transact("submit", _reports(world, adapter, 7 * WAD, 9 * WAD), sender=world.governor)
    price = oracle.call("latest", asset_id("NEW"))
    assert (price.price, price.status) == (8 * WAD, VALID)


def _reports(world, adapter, *prices):
    now = world.now
    signed = [
        (key, price, key.unsafe_sign_hash(adapter.call("digestOf", price, now)))
        for key, price in zip(KEYS, prices, strict=False)
    ]
    return [(key.address, price, now, bytes(made.signature)) for key, price, made in signed]


def test_deploy__all_kinds_in_one_asset__vote_together(world, deploy, publish, rated):
    publish(112 * 10**6)
    oracle, adapters = deploy(PYTH, RATE, REPORTS)
    assert oracle.call("latest", asset_id("NEW")).price == 0  # The signers make the quorum.
    reports = _reports(world, adapters[2], 109 * WAD // 100, 109 * WAD // 100)
    adapters[2].transact("submit", reports, sender=world.governor)
    price = oracle.call("latest", asset_id("NEW"))
    assert (price.price, price.status) == (11 * WAD // 10, VALID)


def test_verify__asset_without_price_that_awaits_no_report__refused(
    world, sender, equipped, parameters, publish
):
    """Both sources answer, but so far apart that they are no quorum: seen when all is deployed."""
    publish(2 * 10**8)
    changed = with_asset(parameters, PYTH, RATE)
    with pytest.raises(DeploymentError, match=r"verify: oracle\.NEW has no price"):
        deploy_core(sender, changed, equipped, artifacts=world.artifacts)


def test_plan__oracle__configured_before_whatever_refers_to_it(
    world, sender, equipped, parameters, publish
):
    publish(10**8)
    changed = with_asset(parameters, PYTH)
    steps = [step.label for step in plan_core(sender, changed, equipped, world.artifacts).steps]
    order = [
        "deploy PegMonitor",
        "deploy NEW adapter 1",
        "configure price NEW",
        "record NEW",
        "derive price LST/USDB",
        "configure peg LST",
        "deploy RiskParameters",
        "deploy CircuitBreaker",
        "list market ETH-PERP",
        "list collateral LST",
    ]
    assert [step for step in steps if step in order] == order


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("published", "message"),
    [
        ((0,), f"sources.0: feed {FEED} answers 0, which is no price"),
        ((-5,), f"feed {FEED} answers -5, which is no price"),
        ((10**8, 0, -37), r"has the exponent -37, which is not in \[-36, 18\]"),
        ((10**8, 0, 19), r"has the exponent 19, which is not in \[-36, 18\]"),
        (
            (10**8, 5_000_001),
            r"answers 100000000 ± 5000001 · 10\^-8, which is less certain than max_deviation, 0.05",
        ),
        ((10**8, 0, -8, 3_650), r"the price of feed 0x0a.* is 365\d s old, the limit is 3600"),
    ],
)
def test_plan__pyth_price_that_would_not_count__refused(refused, publish, published, message):
    publish(*published)
    refused(PYTH, message)


@pytest.mark.parametrize(
    "published", [(1, 0, 18), (10**18, 0, -36), (10**8, 5 * 10**6), (10**8, 0, -8, 3_500)]
)
def test_plan__pyth_price_at_a_limit__accepted(
    world, sender, equipped, parameters, publish, published
):
    publish(*published)
    plan = plan_core(sender, with_asset(parameters, PYTH), equipped, world.artifacts)
    assert len(plan.adapters["NEW"]) == 1


def test_plan__pyth_without_price__refused(refused, pyth):
    refused(
        PYTH, r"oracle\.NEW\.sources\.0: 0x.* does not answer getPriceUnsafe: PriceFeedNotFound"
    )


def test_plan__no_such_pyth__refused(refused, equipped):
    refused(PYTH | {"pyth": "Hermes"}, r"there is no oracle Hermes \(known: Pyth\)")
    nowhere = dataclasses.replace(equipped, oracles={"Pyth": "0x" + "0a" * 20})
    refused(PYTH, "no contract at 0x.* .oracle Pyth.", environment=nowhere)


@pytest.mark.parametrize("rate_kind", ["vault", "steth_per_token", "rate"])
def test_plan__growth_above_one_percent_of_the_rate__refused(refused, rate_kind):
    source = RATE | {"rate_kind": rate_kind, "max_growth_per_day": "0.011000000000000001"}
    message = (
        r"sources\.0\.max_growth_per_day: 0\.011000000000000001 is above the limit 0\.011 "
        r"\(one percent of the rate of RATED\)"
    )
    refused(source, message)


@pytest.mark.parametrize(("rate", "shown"), [(0, "0"), (2**127, "170141183460469231731.68730371")])
def test_plan__rate_out_of_range__refused(refused, rated, world, rate, shown):
    rated.transact("set", rate, sender=world.governor)
    refused(RATE, f"sources.0: RATED redeems for {shown}.*, which is not above 0 and at most")


def test_plan__token_without_a_rate__refused(refused):
    refused(RATE | {"token": "WBTC"}, "sources.0: 0x.* does not answer rate")
    refused(RATE | {"token": "WBTC", "rate_kind": "vault"}, "does not answer asset")
    refused(RATE | {"token": "LST", "rate_kind": "steth_per_token"}, "not answer stEthPerToken")
    refused(RATE | {"token": "NOBODY"}, "there is no token NOBODY")


def test_plan__vault_of_too_many_decimals__refused(refused, world):
    asset = world.deploy("DevToken", "Fine", "FINE", 19)
    vault = world.deploy("DevVault", asset.address, 0)
    source = RATE | {"token": vault.address, "rate_kind": "vault"}
    refused(source, "the vault's asset has 19 decimals, at most 18 work")
    vault = world.deploy("DevVault", world.weth.address, 19)
    source = RATE | {"token": vault.address, "rate_kind": "vault"}
    refused(source, "the vault's share has 37 decimals, at most 36 work")


# ---------------------------------------------------------------- the contracts' own bounds


@pytest.fixture
def constructs(world, sender):
    """Whether an adapter's constructor accepts its arguments, rather than refuse them by name."""

    def _constructs(name, *args):
        artifact = world.artifacts[name]
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        try:
            sender.call(None, data)
        except DeploymentError as error:
            return not str(error).startswith(f"{name}_")
        return True

    return _constructs


def _accepts(model, **fields):
    try:
        model.model_validate(fields | {"share": 1})
    except ValueError:
        return False
    return True


@given(
    signers=st.lists(st.integers(0, 20), max_size=17),
    threshold=st.integers(0, 17),
    max_age=st.sampled_from([0, 1, 600, 86_400, 86_401]),
)
def test_bounds__signed_report__same_answer(constructs, signers, threshold, max_age):
    addresses = [f"0x{signer:040x}" for signer in signers]
    ours = _accepts(
        SignedReportSource,
        kind="signed_report",
        signers=addresses,
        threshold=threshold,
        max_age=max_age,
    )
    args = asset_id("NEW"), sorted(addresses), threshold, max_age
    assert ours == constructs("SignedReportAdapter", *args)


@pytest.mark.parametrize("count", [1, 2, 3, 14, 15, 16])
def test_bounds__signed_report__same_edges(constructs, count):
    addresses = [f"0x{signer:040x}" for signer in range(1, count + 1)]
    for threshold in range(count + 2):
        fields = {"signers": addresses, "threshold": threshold, "max_age": 60}
        ours = _accepts(SignedReportSource, kind="signed_report", **fields)
        args = asset_id("NEW"), addresses, threshold, 60
        assert ours == constructs("SignedReportAdapter", *args), threshold


@pytest.mark.parametrize("feed", [0, 1, 2**256 - 1])
def test_bounds__pyth_feed__same_answer(constructs, pyth, feed):
    ours = _accepts(PythSource, kind="pyth", pyth="Pyth", feed_id=f"0x{feed:064x}")
    assert ours == constructs("PythAdapter", pyth.address, feed.to_bytes(32))


@pytest.mark.parametrize("rate", [99, 100, 199, WAD, 2**127 - 1, 2**127])
def test_bounds__growth__same_edges(world, sender, equipped, parameters, rated, constructs, rate):
    rated.transact("set", rate, sender=world.governor)
    for growth in sorted({0, 1, rate // 100, rate // 100 + 1}):
        text = f"{growth // WAD}.{growth % WAD:018d}"
        refusal = ""
        try:
            changed = with_asset(parameters, RATE | {"max_growth_per_day": text})
            plan_core(sender, changed, equipped, world.artifacts)
        except (ParameterError, DeploymentError) as error:
            refusal = str(error)
        accepted = constructs("ExchangeRateAdapter", rated.address, 2, growth)
        assert (not refusal) == accepted, growth
        # In words of one's own: a plan tries the constructor as well.
        assert "would be refused" not in refusal


def test_external_environment__oracles__named(parameters, pyth):
    changed = validated(
        {**parameters.model_dump(), "external": {"oracles": {"Pyth": pyth.address}}}
    )
    assert external_environment(changed, "net").oracles == {"Pyth": pyth.address}
