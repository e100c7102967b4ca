"""Files are read exactly, and every mistake is named: file, field, value, limit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bulkhead.deployment.devnet import DEVNET_PARAMETERS, devnet_parameters
from bulkhead.deployment.parameters import (
    DeploymentParameters,
    ParameterError,
    load_parameters,
    validated,
)

WAD = 10**18


def _set(raw, path, value):
    """Set a nested value; ``markets.0.taker_fee``. A value of ``...`` removes it."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        raw = raw[step]
    if value is ...:
        del raw[last]
    else:
        raw[last] = value


def test_load__example__units_are_the_contracts():
    parameters = load_parameters(DEVNET_PARAMETERS)
    market = parameters.markets[0]
    assert market.trading()["takerFee"] == 5 * 10**14
    assert market.trading()["indexAsset"] == b"ETH".ljust(32, b"\0")
    assert market.liquidation()["minNotional"] == 500 * WAD
    assert parameters.compartment.struct()["vestingPeriod"] == 3_600
    assert parameters.breaker.thresholds.struct()["badDebt"][0] == 10_000 * WAD
    wbtc = parameters.collaterals[1]
    assert wbtc.config("0x")["cap"] == 2_000 * 10**8
    assert parameters.market_ids == {"ETH-PERP": 0, "BTC-PERP": 1}
    assert parameters.collateral_ids == {"LST": 1, "WBTC": 2, "WETH": 3}


def test_load__json_of_toml__same(tmp_path):
    parameters = devnet_parameters()
    file = tmp_path / "p.json"
    file.write_text(parameters.model_dump_json())
    assert load_parameters(file) == parameters


def test_load__unquoted_decimals__exact(tmp_path, raw):
    raw["markets"][0]["taker_fee"] = 0.1234
    raw["markets"][0].update(maker_fee=0, max_rebate=0)
    file = tmp_path / "p.json"
    file.write_text(json.dumps(raw, default=str).replace("0.1234", "0.000123456789012345"))
    assert load_parameters(file).markets[0].taker_fee == 123_456_789_012_345


def test_parameters__changed_in_place__refused():
    parameters = devnet_parameters()
    with pytest.raises(ValidationError):
        parameters.settlement_token = "DAI"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("markets.0.taker_fee", "0.02", "markets.ETH-PERP.taker_fee: 0.02 is above the limit 0.01"),
        ("markets.0.taker_fee", 0.001, "markets.ETH-PERP.taker_fee: 0.001 is not a number"),
        ("markets.0.taker_fee", "-0.1", "taker_fee: -0.1 is below the limit 0"),
        ("markets.0.taker_fee", ..., "markets.ETH-PERP.taker_fee: is missing"),
        ("markets.1.fee", "0", "markets.BTC-PERP.fee: is not a parameter"),
        ("markets.0.initial_margin_ratio", "0.049", "0.049 is below the limit 0.05 (5/4 of"),
        ("markets.0.penalty", "0.0201", "penalty: 0.0201 is above the limit 0.02 (half of"),
        ("markets.0.max_open_interest", 8_001, "above the limit 8000 (skew_scale · max_premium)"),
        ("markets.0.index_asset", "DOGE", "markets.ETH-PERP.index_asset: DOGE is not in oracle"),
        ("markets.1.name", "ETH-PERP", "markets: ETH-PERP is listed twice"),
        ("markets", [], "markets: Tuple should have at least 1 item"),
        ("collaterals.0.haircut", "0.1", "collaterals.LST: haircut: 0.1 is above the limit 0"),
        ("collaterals.1.haircut", "0.005", "haircut: 0.005 is below the limit 0.01"),
        ("collaterals.1.cap", "0.000000001", "cap: 0.000000001 has more than 8 decimals"),
        ("collaterals.0.asset", "BTC", "collaterals.LST.asset: BTC is not in pegs"),
        ("collaterals.1.asset", "LST", "collaterals.WBTC.asset: LST is not in oracle"),
        ("collaterals.1.token", "WETH", "collaterals.token: WETH is listed twice"),
        ("collaterals.1.token", "USDB", "collaterals.token: USDB is listed twice"),
        ("compartment.vesting_period", "31d", "vesting_period: 2678400 is above the limit 2592000"),
        ("compartment.vesting_period", "soon", "compartment.vesting_period: 'soon' is no duration"),
        ("compartment.pool_fee_share", "0.71", "pool_fee_share: 0.71 is above the limit 0.7"),
        (
            "breaker.thresholds.discount",
            ["0.1", "0.2", "0.2", "0.3"],
            "discount: 0.2 for tier 3 is",
        ),
        ("breaker.thresholds.discount", list(range(5)), "discount: Tuple should have at most 4"),
        ("breaker.watched_prices", ["DOGE"], "breaker.watched_prices: DOGE is not in oracle"),
        ("breaker.watched_pegs", ["LST", "LST"], "breaker.watched_pegs: LST is listed twice"),
        ("oracle.0.quorum", "0.5", "oracle.ETH.quorum: 0.5 is below the limit 0.5001"),
        ("oracle.0.quorum", "1.0001", "quorum: 1.0001 is above the limit 1"),
        ("oracle.0.quorum", "0.66665", "quorum: 0.66665 has more than 4 decimals"),
        (
            "oracle.0.sources.0.share",
            "0.3333",
            "oracle.ETH: sources: shares add up to 0.9999, not to 1",
        ),
        ("oracle.0.sources.0.share", "0.3335", "shares add up to 1.0001, not to 1"),
        ("oracle.0.sources.0.share", 0, "oracle.ETH.sources.0.share: 0 is below the limit 0.0001"),
        (
            "oracle.0.max_confidence",
            "0.050000000000000001",
            "max_confidence: 0.050000000000000001 is above the limit 0.05 (max_deviation)",
        ),
        ("oracle.0.max_confidence", 0, "max_confidence: 0 is below the limit 0.0000"),
        (
            "oracle.0.max_move",
            "0.049999999999999999",
            "max_move: 0.049999999999999999 is below the limit 0.05 (max_deviation)",
        ),
        ("oracle.0.max_move", "1.01", "max_move: 1.01 is above the limit 1"),
        ("oracle.0.confirmation_delay", 0, "confirmation_delay: 0 is below the limit 1"),
        ("oracle.0.confirmation_delay", 3_601, "confirmation_delay: 3601 is above the limit 3600"),
        ("oracle.0.volatility_period", "59m", "volatility_period: 3540 is below the limit 3600"),
        ("oracle.0.initial_volatility", "10.1", "initial_volatility: 10.1 is above the limit 10"),
        ("seasoning", 3_599, "file.toml: seasoning: 3599 is below the limit 3600"),
        ("seasoning", "31d", "file.toml: seasoning: 2678400 is above the limit 2592000"),
        ("seasoning", ..., "file.toml: seasoning: is missing"),
        ("uptime", {"feed": "UP"}, "uptime.grace_period: is missing"),
        (
            "uptime",
            {"feed": "UP", "grace_period": 86_401},
            "uptime.grace_period: 86401 is above the limit 86400",
        ),
        ("oracle.0.max_cache_age", "2h", "max_cache_age: 7200 is above the limit 3600"),
        ("oracle.0.sources.1.feed", "ETH-1", "oracle.ETH: sources: feed ETH-1 would vote twice"),
        ("oracle.0.sources.0.kind", "magic", "oracle.ETH.sources.0: Input tag 'magic'"),
        ("oracle.0.sources.0.heartbeat", ..., "oracle.ETH.sources.0.heartbeat: is missing"),
        ("oracle.0.sources.0.heartbeat", "8d", "heartbeat: 691200 is above the limit 604800"),
        ("oracle.0.sources.0.min_answer", "-1", "min_answer: -1 is below the limit 0"),
        (
            "oracle.0.sources.0.max_answer",
            10,
            "max_answer: 10 is below the limit 10.000000000000000001 (above min_answer)",
        ),
        (
            "oracle.0.sources.2.min_cardinality",
            1,
            "oracle.ETH.sources.2.min_cardinality: 1 is below the limit 2",
        ),
        ("oracle.0.sources.2.window", 0, "oracle.ETH.sources.2.window: 0 is below the limit 1"),
        ("oracle.0.name", "ÉTH", "String should match pattern"),
        ("pegs.0.market_ratio", "LST/USD", "pegs.LST.market_ratio: LST/USD is not in oracle"),
        ("pegs.0.underlying", "DOGE", "pegs.LST.underlying: DOGE is not in oracle or derived"),
        (
            "pegs.0.grace_stress",
            # 10 a day of a discount of 99 %, for two minutes, rounded up, twice.
            "0.027499999999999999",
            "grace_stress: 0.027499999999999999 is below the limit 0.0275 "
            "(twice what a wick can build)",
        ),
        ("pegs.0.grace_stress", 1, "grace_stress: 1 is above the limit 0.999999999999999999"),
        (
            "pegs.0.stressed_at",
            "0.03",
            "stressed_at: 0.03 is below the limit 0.030000000000000001 (above grace_stress)",
        ),
        (
            "pegs.0.broken_at",
            "0.299999999999999999",
            "broken_at: 0.299999999999999999 is below the limit 0.3 (stressed_at)",
        ),
        ("pegs.0.broken_at", "1.1", "broken_at: 1.1 is above the limit 1"),
        ("pegs.0.stress_per_day", "10.1", "stress_per_day: 10.1 is above the limit 10"),
        ("pegs.0.max_rate_fall", 1, "max_rate_fall: 1 is above the limit 0.9999"),
        ("pegs.0.free_delay", 2**32, "free_delay: 4294967296 is above the limit 4294967295"),
        ("pegs.0.backing", {"feed": "R", "heartbeat": 1}, "pegs.LST.backing.token: is missing"),
        (
            "pegs.0.backing",
            {"feed": "R", "token": "LST", "heartbeat": "8d"},
            "pegs.LST.backing.heartbeat: 691200 is above the limit 604800",
        ),
        ("pegs.0.base_haircut", "0.6", "base_haircut: 0.6 is above the limit 0.5 (max_haircut)"),
        ("roles", {"governor": "0x12"}, "roles.governor: '0x12' is not an address"),
        ("external", {"feeds": {"x": "0x" + "aB" * 20}}, "or its checksum is wrong"),
        ("settlement_token", ..., "settlement_token: is missing"),
    ],
)
def test_validated__mistake__named(raw, path, value, message):
    _set(raw, path, value)
    with pytest.raises(ParameterError) as caught:
        validated(raw, "file.toml")
    [line] = str(caught.value).splitlines()
    assert line.startswith("file.toml: ")
    assert message in line


def test_validated__several_mistakes__one_line_each(raw):
    raw["markets"][0]["taker_fee"] = "1"
    raw["pegs"][0]["decay_period"] = 5
    with pytest.raises(ParameterError) as caught:
        validated(raw)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["= = =", "[", "{"])
def test_load__not_toml__named(tmp_path, text):
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=r"p\.toml"):
        load_parameters(file)


def test_load__not_json__named(tmp_path):
    file = tmp_path / "p.json"
    file.write_text("[1")
    with pytest.raises(ParameterError, match=r"p\.json"):
        load_parameters(file)


def test_load__list_in_file__refused(tmp_path):
    file = tmp_path / "p.json"
    file.write_text("[1]")
    with pytest.raises(ParameterError, match=r"p\.json: Input should be"):
        load_parameters(file)


def test_load__missing__named(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.toml: No such file"):
        load_parameters(tmp_path / "none.toml")


def test_devnet_parameters__feeds_only__no_pool_is_read():
    parameters = devnet_parameters(spot_markets=False)
    # A copy is not validated by itself.
    assert DeploymentParameters.model_validate_json(parameters.model_dump_json()) == parameters
    kinds = {source.kind for asset in parameters.oracle for source in asset.sources}
    assert kinds == {"chainlink"}


def test_cap__whole_tokens__decimal_in_and_out():
    dumped = devnet_parameters().collaterals[1].model_dump()
    assert dumped["cap"] == "2000"
    assert Decimal(dumped["haircut"]) == Decimal("0.1")
