"""A redemption rate as a price source: what it believes, when it records, and who pokes when."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome
from bulkhead.model.adapters import ExchangeRateAdapter, vault_rate

WAD = 10**18
DAY = 86_400
START = 11 * WAD // 10
GROWTH = 2 * 10**14  # 0.02 % of 1.0 per day
MAX_RATE = 2**127 - 1
VAULT, ST_ETH_PER_TOKEN, RATE = range(3)

PER_EXAMPLE = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def token(project, governor):
    return governor.deploy(project.ScriptedRate, 18, START)


@pytest.fixture(scope="module")
def adapter(project, governor, token):
    return governor.deploy(project.ExchangeRateAdapter, token, RATE, GROWTH)


@pytest.fixture(scope="module")
def vault(project, governor):
    """OpenZeppelin's vault over 6 decimals, with 1,000.0 in it and shares of 9 decimals."""
    asset = governor.deploy(project.DevToken, "Six", "SIX", 6)
    deployed = governor.deploy(project.DevVault, asset, 3)
    asset.mint(governor, 10**15, sender=governor)
    asset.approve(deployed, 2**256 - 1, sender=governor)
    deployed.deposit(1_000 * 10**6, governor, sender=governor)
    return deployed, asset


@pytest.fixture(scope="module", autouse=True)
def _deployed(adapter, vault, aggregator):
    """Deploy before any test's own state."""


@pytest.fixture
def read(calls, adapter, token):
    """What a method answers for a raw rate, a recorded ratio, and its age at the latest block."""

    def _read(raw, ratio, recorded_at, method="latest"):
        overrides = {adapter.address: {0: ratio | recorded_at << 208}, token.address: {0: raw}}
        return outcome(lambda: calls.call(adapter, method, overrides=overrides))

    return _read


@pytest.fixture
def poke_at(adapter, token, governor, chain):
    """Poke at a time, with the token's rate set just before."""

    def _poke_at(timestamp, raw=None):
        if raw is not None:
            token.set(raw, sender=governor)
        chain.pending_timestamp = timestamp
        return adapter.poke(sender=governor)

    return _poke_at


# ------------------------------------------------------------------ deployment


def test_deploy__token_without_code__reverts(project, calls, stranger):
    error = outcome(lambda: calls.deploy(project.ExchangeRateAdapter, stranger, RATE, GROWTH))
    assert error == ("ExchangeRateAdapter_NotAContract", stranger.address.lower())


@pytest.mark.parametrize("growth", [0, START // 100 + 1, 2**256 - 1])
def test_deploy__growth_out_of_bounds__reverts(project, calls, token, growth):
    error = outcome(lambda: calls.deploy(project.ExchangeRateAdapter, token, RATE, growth))
    assert error == ("ExchangeRateAdapter_GrowthOutOfBounds", growth, 1, START // 100)
    assert error == outcome(lambda: ExchangeRateAdapter.deploy(START, growth, 0))


@pytest.mark.parametrize("growth", [1, START // 100])
def test_deploy__growth_at_its_bounds__accepts(project, calls, token, growth):
    calls.deploy(project.ExchangeRateAdapter, token, RATE, growth)


@pytest.mark.parametrize("growth", [0, 1])
def test_deploy__no_rate__reverts(project, calls, governor, growth):
    worthless = governor.deploy(project.ScriptedRate, 18, 0)
    error = outcome(lambda: calls.deploy(project.ExchangeRateAdapter, worthless, RATE, growth))
    assert error == ("ExchangeRateAdapter_ZeroRate",)


def test_deploy__rate_too_large__reverts(project, calls, governor):
    absurd = governor.deploy(project.ScriptedRate, 18, MAX_RATE + 1)
    error = outcome(lambda: calls.deploy(project.ExchangeRateAdapter, absurd, RATE, 1))
    assert error == ("ExchangeRateAdapter_RateOutOfRange", MAX_RATE + 1, MAX_RATE)


@pytest.mark.parametrize("decimals", [19, 77, 255])
def test_deploy__vault_with_too_many_decimals__reverts(project, calls, governor, decimals):
    odd = governor.deploy(project.ScriptedRate, decimals, WAD)
    error = outcome(lambda: calls.deploy(project.ExchangeRateAdapter, odd, VAULT, 1))
    limit = 36 if decimals > 36 else 18  # Share and asset are one here; the share is asked first.
    assert error == (
        "ExchangeRateAdapter_UnsupportedDecimals",
        odd.address.lower(),
        decimals,
        limit,
    )


def test_deploy__valid__shows_its_parameters_and_records(project, calls, governor, token, chain):
    deployed = governor.deploy(project.ExchangeRateAdapter, token, RATE, GROWTH)
    assert calls.call(deployed, "token") == token.address.lower()
    assert calls.call(deployed, "kind") == RATE
    assert calls.call(deployed, "maxGrowthPerDay") == GROWTH
    assert calls.call(deployed, "recorded") == (START, chain.blocks.head.timestamp)


# ------------------------------------------------------------------ kinds of tokens


@pytest.mark.parametrize("kind", [ST_ETH_PER_TOKEN, RATE])
def test_latest__wad_rate__is_the_price(project, calls, governor, token, kind, chain):
    deployed = governor.deploy(project.ExchangeRateAdapter, token, kind, GROWTH)
    assert calls.call(deployed, "rawRate") == START
    assert calls.call(deployed, "latest") == (START, 0, chain.blocks.head.timestamp)


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_latest__vault_of_any_decimals__scales_the_asset(project, calls, governor, decimals):
    scripted = governor.deploy(project.ScriptedRate, decimals, 2 * 10**decimals)
    deployed = governor.deploy(project.ExchangeRateAdapter, scripted, VAULT, 10**15)
    assert calls.call(deployed, "latest")[0] == 2 * WAD == vault_rate(2 * 10**decimals, decimals)


def test_latest__real_vault__assets_of_one_share(project, calls, governor, vault):
    deployed = governor.deploy(project.ExchangeRateAdapter, vault[0], VAULT, 10**15)
    assert vault[0].decimals() == 9
    assert calls.call(deployed, "latest")[0] == WAD


def test_latest__liquid_staking_token__its_rate(project, calls, governor, roles):
    weth = governor.deploy(project.DevWETH9)
    arguments = (roles, weth, "Staked", "ST", WAD, 0)
    staked = governor.deploy(project.LiquidStakingToken, *arguments)
    deployed = governor.deploy(project.ExchangeRateAdapter, staked, RATE, GROWTH)
    assert calls.call(deployed, "latest")[0] == calls.call(staked, "rate") == WAD


def test_latest__vault_overflows__reverts(project, calls, governor):
    scripted = governor.deploy(project.ScriptedRate, 6, 10**6)
    deployed = governor.deploy(project.ExchangeRateAdapter, scripted, VAULT, 10**15)
    overrides = {scripted.address: {0: 2**256 - 1}}
    error = outcome(lambda: calls.call(deployed, "latest", overrides=overrides))
    assert error == ("Panic", 0x11) == outcome(lambda: vault_rate(2**256 - 1, 6))


# ------------------------------------------------------------------ what is believed


def test_latest__rate_fell__is_passed_on_at_once(read, chain):
    now = chain.blocks.head.timestamp
    assert read(1, START, now) == (1, 0, now)
    assert read(START - 1, START, now - DAY) == (START - 1, 0, now)


@pytest.mark.parametrize("method", ["latest", "poke", "rawRate"])
def test_latest__rate_zero__reverts(read, chain, method):
    now = chain.blocks.head.timestamp
    assert read(0, START, now, method) == ("ExchangeRateAdapter_ZeroRate",)


@pytest.mark.parametrize("raw", [START + 1, 2 * START, 2**256 - 1])
def test_latest__rate_rose_in_the_block_of_the_record__moves_nothing(read, chain, raw):
    now = chain.blocks.head.timestamp
    assert read(raw, START, now)[0] == START


@pytest.mark.parametrize("age", [1, 3_600, DAY, 400 * DAY])
def test_latest__rate_rose_too_fast__answers_the_line(read, chain, age):
    now = chain.blocks.head.timestamp
    line = START + GROWTH * age // DAY
    assert read(2 * START, START, now - age)[0] == line == read(1, START, now - age, "cap")
    assert read(line, START, now - age)[0] == line
    assert read(line - 1, START, now - age)[0] == line - 1


@PER_EXAMPLE
@given(
    raw=st.integers(0, 2**256 - 1) | st.integers(START, START + 2 * GROWTH),
    ratio=st.integers(1, MAX_RATE) | st.just(START),
    age=st.integers(0, 2 * DAY) | st.integers(0, 50 * 365 * DAY),
)
def test_latest__any_state__equals_the_model(read, chain, raw, ratio, age):
    now = chain.blocks.head.timestamp
    twin = ExchangeRateAdapter(raw, GROWTH, ratio, now - age)
    assert read(raw, ratio, now - age) == outcome(lambda: twin.latest(now))
    assert read(raw, ratio, now - age, "cap") == twin.cap(now)
    assert read(raw, ratio, now - age, "poke") == outcome(lambda: twin.poke(now))


# ------------------------------------------------------------------ records


def test_poke__rate_on_the_line__records_ratio_and_time_in_one_word(
    poke_at, adapter, calls, chain, stranger
):
    then = calls.call(adapter, "recorded")[1] + DAY
    receipt = poke_at(then, START + GROWTH)
    (event,) = receipt.decode_logs(adapter.RateRecorded)
    assert (event.ratio, event.recordedAt) == (START + GROWTH, then)
    assert calls.call(adapter, "recorded") == (START + GROWTH, then)
    words = [int.from_bytes(chain.provider.get_storage(adapter.address, i)) for i in range(3)]
    assert words == [START + GROWTH | then << 208, 0, 0]


def test_poke__rate_above_the_line__changes_neither_ratio_nor_time(poke_at, adapter, calls):
    before = calls.call(adapter, "recorded")
    receipt = poke_at(before[1] + DAY, START + GROWTH + 1)
    assert calls.call(adapter, "recorded") == before
    assert not receipt.decode_logs(adapter.RateRecorded)
    (event,) = receipt.decode_logs(adapter.RateCapped)
    assert (event.rawRate, event.acceptedRate) == (START + GROWTH + 1, START + GROWTH)


def test_poke__rate_fell__records_the_fall(poke_at, adapter, calls):
    then = calls.call(adapter, "recorded")[1] + DAY
    poke_at(then, START // 2)
    assert calls.call(adapter, "recorded") == (START // 2, then)
    poke_at(then + DAY, START)
    assert calls.call(adapter, "latest")[0] == START // 2 + GROWTH


def test_poke__any_sequence__equals_the_model(poke_at, adapter, calls):
    random = Random(7)
    ratio, now = calls.call(adapter, "recorded")
    twin = ExchangeRateAdapter(START, GROWTH, ratio, now)
    for _ in range(60):
        now += random.choice([1 + 1, 60, 3_600, DAY])
        twin.raw = random.choice([twin.raw, twin.cap(now), twin.cap(now) + 1, twin.raw * 2, START])
        poke_at(now, twin.raw)
        twin.poke(now)
        assert calls.call(adapter, "recorded") == (twin.ratio, twin.recorded_at)
        assert calls.call(adapter, "latest") == twin.latest(now)


# ------------------------------------------------------------------ scenarios


def test_poke__cap_desync_scenario__capped_pokes_do_not_hold_the_line_down(poke_at, adapter, calls):
    """A cap whose time moves on without its ratio stands still while the token grows: such a
    mismatch had positions liquidated at too low a rate in other protocols. Here whoever pokes
    every two seconds, or never, gets the same line."""
    ratio, then = calls.call(adapter, "recorded")
    poke_at(then + 10, 2 * START)
    for i in range(40):
        poke_at(then + 12 + 2 * i)
    assert calls.call(adapter, "recorded") == (ratio, then)
    poke_at(then + 3 * DAY)
    assert calls.call(adapter, "latest")[0] == ratio + 3 * GROWTH
    assert calls.call(adapter, "recorded") == (ratio, then)


def test_poke__cap_desync_scenario__slow_line_is_not_lost_to_rounding():
    """At one unit per day, pokes in every second must not each round the growth to nothing."""
    twin = ExchangeRateAdapter(10**9, 1, 100, 0)
    for now in range(1, 3 * DAY + 1, 7):
        twin.poke(now)
    assert twin.latest(3 * DAY)[0] == 103


def test_latest__donate_price_scenario__donation_moves_the_answer_by_the_line_at_most(
    project, calls, governor, vault, chain
):
    """Somebody doubles a vault's assets in one block, to borrow against shares at the new rate."""
    shares, asset = vault
    growth = 10**15
    deployed = governor.deploy(project.ExchangeRateAdapter, shares, VAULT, growth)
    ratio, then = calls.call(deployed, "recorded")
    chain.pending_timestamp = then + 60
    asset.transfer(shares, 1_000 * 10**6, sender=governor)
    assert calls.call(deployed, "rawRate") > 19 * WAD // 10
    assert calls.call(deployed, "latest")[0] == ratio + growth * 60 // DAY
    chain.pending_timestamp = then + 120
    deployed.poke(sender=governor)
    assert calls.call(deployed, "latest")[0] == ratio + growth * 120 // DAY
    chain.mine(timestamp=then + 30 * DAY)
    assert calls.call(deployed, "latest")[0] == ratio + 30 * growth


def test_latest__donate_price_scenario__poked_just_before_nothing_moves(
    project, calls, governor, vault, chain
):
    shares, asset = vault
    deployed = governor.deploy(project.ExchangeRateAdapter, shares, VAULT, 10**15)
    chain.mine(deltatime=100 * DAY)
    deployed.poke(sender=governor)
    ratio, then = calls.call(deployed, "recorded")
    chain.pending_timestamp = then + 12
    asset.transfer(shares, 1_000 * 10**6, sender=governor)
    assert calls.call(deployed, "latest")[0] - ratio == 10**15 * 12 // DAY


# ------------------------------------------------------------------ who pokes when

honest_steps = st.lists(
    st.tuples(st.integers(1, 3 * DAY), st.fractions(0, 1, max_denominator=1_000), st.booleans()),
    min_size=1,
    max_size=30,
)
any_steps = st.lists(
    st.tuples(st.integers(1, 3 * DAY), st.integers(1, 3 * START), st.booleans(), st.booleans()),
    min_size=1,
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(steps=honest_steps, growth=st.integers(1, GROWTH))
def test_latest__rate_never_above_the_line__is_the_rate_whoever_pokes_when(steps, growth):
    """A rate that rises by at most ``growth`` per day, or falls, is never capped."""
    twin = ExchangeRateAdapter(START, growth, START, 0)
    now, exact = 0, START
    for elapsed, share, is_poked in steps:
        now += elapsed
        exact += growth * elapsed * share / DAY
        twin.raw = int(exact)
        assert twin.latest(now)[0] in (twin.raw, twin.raw - 1)
        if is_poked:
            twin.poke(now)
    # A record is a whole number: what it cut off the exact rate is all that can be missing.


@settings(max_examples=500, deadline=None)
@given(steps=any_steps)
def test_latest__more_pokes__never_raise_an_answer(steps):
    few = ExchangeRateAdapter(START, GROWTH, START, 0)
    many = replace(few)
    now = 0
    for elapsed, raw, is_poked, is_poked_by_both in steps:
        now += elapsed
        few.raw = many.raw = raw
        assert many.latest(now)[0] <= few.latest(now)[0]
        if is_poked or is_poked_by_both:
            many.poke(now)
        if is_poked_by_both:
            few.poke(now)
        assert many.latest(now)[0] <= few.latest(now)[0] <= raw


@settings(max_examples=500, deadline=None)
@given(steps=any_steps)
def test_latest__rate_that_never_falls__pokes_matter_by_the_line_at_most(steps):
    few = ExchangeRateAdapter(START, GROWTH, START, 0)
    many = replace(few)
    now = 0
    for elapsed, jump, is_poked, is_jump in steps:
        now += elapsed
        few.raw = many.raw = few.raw + (jump if is_jump else jump % GROWTH)
        if is_poked:
            many.poke(now)
        difference = few.latest(now)[0] - many.latest(now)[0]
        assert 0 <= difference <= GROWTH * now // DAY


@settings(max_examples=300, deadline=None)
@given(steps=any_steps, jump=st.integers(0, 2**255))
def test_latest__jump_within_a_block__moves_by_the_line_since_the_record(steps, jump):
    twin = ExchangeRateAdapter(START, GROWTH, START, 0)
    seen, now = {START}, 0
    for elapsed, raw, is_poked, _ in steps:
        now += elapsed
        twin.raw = raw
        seen.add(raw)
        if is_poked:
            twin.poke(now)
        assert twin.ratio in seen  # What is recorded, the token said.
    before = twin.latest(now)[0]
    twin.raw += jump
    most = twin.ratio + GROWTH * (now - twin.recorded_at) // DAY
    assert before <= twin.latest(now)[0] <= max(before, most)


def test_latest__gas(adapter, governor):
    used = adapter.latest.estimate_gas_cost(sender=governor) - 21_000
    print("ExchangeRateAdapter.latest:", used)
    assert used < 25_000
