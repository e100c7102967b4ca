"""Pegs and the sequencer's feed of a file on the chain: deployed, refused, and read back."""

from __future__ import annotations

import dataclasses

import pytest

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.deployment.deploy import deploy_core, plan_core
from bulkhead.deployment.parameters import validated
from bulkhead.deployment.sender import DeploymentError
from bulkhead.deployment.verify import verify

WAD = 10**18
DAY = 86_400
ZERO = "0x" + "00" * 20
UNCONFIRMED, VALID = 1, 3
BACKING = {"feed": "LST-RESERVES", "token": "LST", "heartbeat": "1d"}
UPTIME = {"feed": "UPTIME", "grace_period": "1h"}


@pytest.fixture
def reserves(world):
    """A feed that has not attested anything yet; 18 decimals, as the LST."""
    return world.deploy("DevAggregatorV3", 18, "LST reserves")


@pytest.fixture
def uptime(world):
    """A feed that says that the sequencer is up, since its round of now."""
    feed = world.deploy("DevAggregatorV3", 0, "uptime")
    feed.transact("setAnswer", 0, sender=world.governor)
    return feed


@pytest.fixture
def equipped(environment, reserves, uptime):
    """The world with feeds of reserves and of the sequencer's uptime."""
    feeds = {**environment.feeds, "LST-RESERVES": reserves.address, "UPTIME": uptime.address}
    return dataclasses.replace(environment, feeds=feeds)


def with_peg(parameters, **changes):
    """Return parameters whose peg has other fields; None leaves one out."""
    data = parameters.model_dump()
    [peg] = data["pegs"]
    peg = {key: value for key, value in (dict(peg) | changes).items() if value is not None}
    return validated({**data, "pegs": [peg]})


@pytest.fixture
def deploy(world, sender, equipped):
    """Deploy a suite; return a function that finds its contracts, and the book."""

    def _deploy(parameters):
        book = deploy_core(sender, parameters, equipped, artifacts=world.artifacts)
        return lambda name: book.contract(world.rpc, name, world.artifacts), book

    return _deploy


@pytest.fixture
def refused(world, sender, equipped):
    """Expect that parameters are refused with a message, and that nothing is sent."""

    def _refused(parameters, message, environment=equipped):
        nonce = sender.nonce()
        with pytest.raises(DeploymentError, match=message):
            deploy_core(sender, parameters, environment, artifacts=world.artifacts)
        assert sender.nonce() == nonce

    return _refused


@pytest.fixture
def sent(world, sender, equipped):
    """Send a plan as it is, without looking at what came of it."""

    def _sent(parameters):
        plan = plan_core(sender, parameters, equipped, world.artifacts)
        for step in plan.steps:
            sender.send(step.to, step.data, step.label)
        return plan

    return _sent


# ---------------------------------------------------------------- backing


def attest(world, feed, fraction):
    """Let a feed attest a WAD fraction of the LST's supply, rounded up, now."""
    reserves_tokens = -(-world.lst.call("totalSupply") * fraction // WAD)
    feed.transact("setAnswer", reserves_tokens, sender=world.governor)


def test_deploy__backing__the_peg_follows_the_feed(world, deploy, reserves):
    attest(world, reserves, WAD)
    part, book = deploy(with_peg(world.book.parameters, backing=BACKING))
    peg = part("PegMonitor")
    source = peg.call("pegConfig", asset_id("LST")).backingSource
    artifact = world.artifacts["ProofOfReserve"]
    proof = Contract(world.rpc, source, artifact.abi, "ProofOfReserve")
    assert (proof.call("feed"), proof.call("token")) == (reserves.address, world.lst.address)
    assert proof.call("heartbeat") == DAY
    assert "LST reserves" in book.code_hashes
    assert peg.call("pegState", asset_id("LST")).backing == WAD
    attest(world, reserves, WAD * 995 // 1_000)
    peg.transact("poke", asset_id("LST"), sender=world.governor)
    assert peg.call("pegState", asset_id("LST")).backing == WAD * 995 // 1_000


def test_plan__backing__deployed_before_the_peg_that_asks_it(world, sender, equipped, reserves):
    attest(world, reserves, WAD)
    parameters = with_peg(world.book.parameters, backing=BACKING)
    plan = plan_core(sender, parameters, equipped, world.artifacts)
    labels = [step.label for step in plan.steps]
    assert labels.index("deploy LST reserves") < labels.index("configure peg LST")
    [step] = [step for step in plan.steps if step.label == "deploy LST reserves"]
    assert plan.peg_sources["LST"].backing == step.creates


def test_plan__feed_of_reserves_silent__refused(world, refused):
    parameters = with_peg(world.book.parameters, backing=BACKING)
    refused(parameters, r"pegs\.LST\.backing: feed LST-RESERVES attests 0, \d+ s ago, the limit")


def test_plan__feed_of_reserves_fails__refused(world, refused, reserves):
    attest(world, reserves, WAD)
    reserves.transact("setMode", 1, sender=world.governor)
    parameters = with_peg(world.book.parameters, backing=BACKING)
    refused(parameters, r"pegs\.LST\.backing: 0x.* does not answer latestRoundData")


@pytest.mark.parametrize("late", [0, 1])
def test_plan__feed_of_reserves_at_its_heartbeat__refused_just_after(
    world, sender, equipped, refused, reserves, late
):
    attest(world, reserves, WAD)
    parameters = with_peg(world.book.parameters, backing=BACKING | {"heartbeat": 600})
    world.skip(600 + late)
    if late:
        refused(parameters, r"feed LST-RESERVES attests \d+, 601 s ago, the limit is 600")
    else:
        plan = plan_core(sender, parameters, equipped, world.artifacts)
        assert plan.peg_sources["LST"].backing != ZERO


def test_plan__negative_reserves__refused(world, refused, reserves):
    reserves.transact("setAnswer", -1, sender=world.governor)
    parameters = with_peg(world.book.parameters, backing=BACKING)
    refused(parameters, r"feed LST-RESERVES attests -1, 0 s ago")


def test_plan__backing_names_what_is_not_there__refused(world, refused, reserves):
    attest(world, reserves, WAD)
    parameters = with_peg(world.book.parameters, backing=BACKING | {"feed": "NONE"})
    refused(parameters, r"pegs\.LST\.backing\.feed: there is no feed NONE")
    parameters = with_peg(world.book.parameters, backing=BACKING | {"token": "NONE"})
    refused(parameters, r"pegs\.LST\.backing\.token: there is no token NONE")


def test_plan__reserves_the_contract_cannot_scale__refused(world, refused, reserves):
    attest(world, reserves, WAD)
    odd = world.deploy("DevToken", "Fine", "FINE", 19)
    parameters = with_peg(world.book.parameters, backing=BACKING | {"token": odd.address})
    refused(parameters, r'LST reserves would be refused: .*"tokenDecimals", 19')


# ---------------------------------------------------------------- queue, rate, underlying


def test_deploy__queue__its_delay_is_recorded(world, deploy):
    part, _ = deploy(world.book.parameters)
    peg = part("PegMonitor")
    assert peg.call("pegConfig", asset_id("LST")).queue == world.lst.address
    delay = world.lst.call("queueDelay", 0)
    assert delay > 0
    assert peg.call("pegState", asset_id("LST")).redemptionDelay == delay


def test_deploy__no_queue__no_delay(world, deploy):
    part, _ = deploy(with_peg(world.book.parameters, queue=None))
    peg = part("PegMonitor")
    assert peg.call("pegConfig", asset_id("LST")).queue == ZERO
    assert peg.call("pegState", asset_id("LST")).redemptionDelay == 0


def test_plan__token_without_a_queue__refused(world, refused):
    parameters = with_peg(world.book.parameters, queue="WETH")
    refused(parameters, r"pegs\.LST\.queue: 0x.* does not answer queueDelay")
    parameters = with_peg(world.book.parameters, queue="NONE")
    refused(parameters, r"pegs\.LST\.queue: there is no token NONE")


def test_deploy__no_rate_source__redeems_one_for_one(world, deploy):
    pooled = world.lst.call("totalPooled")
    nobody = world.address("dave")
    world.lst.transact("slash", pooled // 10, nobody, sender=world.governor)
    part, _ = deploy(with_peg(world.book.parameters, rate_source=None))
    assert part("PegMonitor").call("pegState", asset_id("LST")).fairRate == WAD


def test_deploy__no_underlying__worth_settlement_units(world, deploy):
    """A rate of 1.0, and a market that pays 1.0: the price is 1.0 settlement units less haircut."""
    part, _ = deploy(with_peg(world.book.parameters, underlying=None, queue=None))
    peg = part("PegMonitor")
    assert peg.call("pegConfig", asset_id("LST")).underlying == bytes(32)
    value = peg.call("valuation", asset_id("LST"))
    assert (value.marketPrice, value.status) == (WAD, VALID)
    assert value.initialPrice == value.maintenancePrice == 95 * WAD // 100


# ---------------------------------------------------------------- the sequencer


def with_uptime(parameters, **changes):
    return validated({**parameters.model_dump(), "uptime": UPTIME | changes})


def test_deploy__uptime_feed__prices_wait_until_the_sequencer_is_up_for_long(world, deploy, uptime):
    part, _ = deploy(with_uptime(world.book.parameters))
    oracle = part("OracleAggregator")
    assert oracle.call("uptimeFeed") == (uptime.address, 3_600)
    assert oracle.call("aggregate", asset_id("ETH")).status == UNCONFIRMED
    world.skip(3_600)
    world.publish("ETH", 3_000 * WAD)
    assert oracle.call("aggregate", asset_id("ETH")).status == VALID


def test_deploy__no_uptime_feed__nothing_to_wait_for(world, deploy):
    part, _ = deploy(world.book.parameters)
    assert tuple(part("OracleAggregator").call("uptimeFeed")) == (ZERO, 0)
    assert part("OracleAggregator").call("aggregate", asset_id("ETH")).status == VALID


@pytest.mark.parametrize("answer", [2, -1])
def test_plan__no_uptime_feed_by_its_answer__refused(world, refused, uptime, answer):
    uptime.transact("setAnswer", answer, sender=world.governor)
    message = rf"uptime\.feed: feed UPTIME answers {answer}: 0 is up and 1 is down"
    refused(with_uptime(world.book.parameters), message)


def test_plan__uptime_feed_that_never_began__refused(world, equipped, refused):
    silent = world.deploy("DevAggregatorV3", 0, "silent")
    feeds = {**equipped.feeds, "UPTIME": silent.address}
    environment = dataclasses.replace(equipped, feeds=feeds)
    refused(with_uptime(world.book.parameters), "feed UPTIME answers 0", environment)


def test_plan__uptime_feed_not_there__refused(world, refused):
    refused(
        with_uptime(world.book.parameters, feed="NONE"),
        r"uptime\.feed: there is no feed NONE",
    )


def test_plan__sequencer_down__planned(world, sender, equipped, uptime):
    """A feed that says so works; prices will wait."""
    uptime.transact("setAnswer", 1, sender=world.governor)
    plan = plan_core(sender, with_uptime(world.book.parameters), equipped, world.artifacts)
    assert plan.uptime_feed == uptime.address


# ---------------------------------------------------------------- read back


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: with_peg(p, grace_stress="0.04"),
            r"pegs\.LST\.graceStress: 30{16} on chain, 40{16} planned",
        ),
        (
            lambda p: with_peg(p, broken_at=1),
            r"pegs\.LST\.brokenAt: 90{17} on chain, 10{18} planned",
        ),
        (
            lambda p: with_peg(p, underlying=None),
            r"pegs\.LST\.underlying: b'ETH.* on chain, b'.* planned",
        ),
        (
            lambda p: with_peg(p, free_delay="1d"),
            r"pegs\.LST\.freeDelay: 259200 on chain, 86400 planned",
        ),
        (
            lambda p: validated({**p.model_dump(), "seasoning": "1d"}),
            r"seasoning: 259200 on chain, 86400 planned",
        ),
        (
            lambda p: with_uptime(p, grace_period=60),
            r"uptime\.grace_period: 3600 on chain, 60 planned",
        ),
    ],
)
def test_verify__file_says_otherwise__named(world, sender, sent, change, message):
    parameters = with_uptime(world.book.parameters)
    plan = sent(parameters)
    verify(sender, parameters, plan, world.artifacts)
    with pytest.raises(DeploymentError, match=f"verify: {message}"):
        verify(sender, change(parameters), plan, world.artifacts)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("rate", r"pegs\.LST\.rateSource: 0x.* on chain, 0x0+ planned"),
        ("backing", r"pegs\.LST\.backingSource: 0x.* on chain, 0x0+ planned"),
        ("queue", r"pegs\.LST\.queue: 0x.* on chain, 0x0+ planned"),
    ],
)
def test_verify__other_source_of_a_peg__named(world, sender, sent, reserves, field, message):
    attest(world, reserves, WAD)
    parameters = with_peg(world.book.parameters, backing=BACKING)
    plan = sent(parameters)
    verify(sender, parameters, plan, world.artifacts)
    without = with_peg(parameters, backing=None)  # Its code would be missed first.
    sources = {"LST": plan.peg_sources["LST"]._replace(**{field: ZERO})}
    changed = dataclasses.replace(plan, peg_sources=sources)
    with pytest.raises(DeploymentError, match=f"verify: {message}"):
        verify(sender, without, changed, world.artifacts)


def test_verify__other_uptime_feed__named(world, sender, sent, uptime):
    parameters = with_uptime(world.book.parameters)
    plan = dataclasses.replace(sent(parameters), uptime_feed=world.lst.address)
    message = rf"verify: uptime\.feed: {uptime.address} on chain, {world.lst.address} planned"
    with pytest.raises(DeploymentError, match=message):
        verify(sender, parameters, plan, world.artifacts)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quorum": "0.6"}, "quorum"),
        ({"confirmation_delay": 31}, "confirmationDelay"),
        ({"max_move": "0.2"}, "maxMove"),
        ({"max_confidence": "0.03"}, "maxConfidence"),
        ({"volatility_period": "2d"}, "volatilityPeriod"),
        ({"initial_volatility": 1}, "initialVolatility"),
    ],
)
def test_verify__rule_of_an_asset_otherwise__named(world, sender, sent, change, field):
    parameters = world.book.parameters
    plan = sent(parameters)
    data = parameters.model_dump()
    oracle = [dict(data["oracle"][0]) | change, *data["oracle"][1:]]
    other = validated({**data, "oracle": oracle})
    with pytest.raises(DeploymentError, match=rf"verify: oracle\.ETH\.{field}: \d+ on chain"):
        verify(sender, other, plan, world.artifacts)


def test_verify__shares_otherwise__named(world, sender, sent):
    parameters = world.book.parameters
    plan = sent(parameters)
    data = parameters.model_dump()
    entry = dict(data["oracle"][0])
    shares = "0.4", "0.6"
    entry["sources"] = [
        dict(source) | {"share": share}
        for source, share in zip(entry["sources"], shares, strict=True)
    ]
    other = validated({**data, "oracle": [entry, *data["oracle"][1:]]})
    with pytest.raises(DeploymentError, match=r"verify: oracle\.ETH\.sources: .*5000.* on chain"):
        verify(sender, other, plan, world.artifacts)
