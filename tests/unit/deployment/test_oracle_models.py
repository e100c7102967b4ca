"""Sources, derived assets and pegs in files: units, references, and every mistake by its name."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.deployment.devnet import DEVNET_PARAMETERS, devnet_parameters
from bulkhead.deployment.oracle_models import (
    MAX_DEPTH,
    SOURCE_KINDS,
    DerivedParameters,
    ExchangeRateSource,
    SignedReportSource,
    in_order,
)
from bulkhead.deployment.parameters import DeploymentParameters, ParameterError, validated
from bulkhead.deployment.units import from_basis_points
from bulkhead.model.oracle import (
    AssetConfig,
    Derivation,
    OracleAggregator,
    OracleAggregator_TooDeep,
    OracleAggregator_UnknownAsset,
    SourceConfig,
)
from bulkhead.model.oracle import Operation as Formula

FEED = "0x" + "0a" * 32
SIGNERS = [f"0x{i:040x}" for i in range(1, 17)]
PYTH = {"kind": "pyth", "pyth": "Pyth", "feed_id": FEED}
RATE = {
    "kind": "exchange_rate",
    "token": "LST",
    "rate_kind": "rate",
    "max_growth_per_day": "0.001",
}
REPORTS = {"kind": "signed_report", "signers": SIGNERS[:3], "threshold": 2, "max_age": "10m"}


def asset(*sources, name="NEW"):
    """An asset of the file over some sources, all of which must answer.

    Those without a share share equally; the first gets what does not divide.
    """
    equal = 10_000 // len(sources)
    shares = [10_000 - equal * (len(sources) - 1)] + [equal] * (len(sources) - 1)
    return {
        "name": name,
        "max_staleness": "1h",
        "max_cache_age": 15,
        "quorum": 1,
        "confirmation_delay": 30,
        "max_deviation": "0.05",
        "max_confidence": "0.02",
        "max_move": "0.1",
        "volatility_period": "1d",
        "initial_volatility": "0.05",
        "sources": [
            {"share": from_basis_points(share)} | source
            for share, source in zip(shares, sources, strict=True)
        ],
    }


def derived(name, operation, left, right=None):
    """A derived asset of the file."""
    entry = {"name": name, "operation": operation, "left": left, "right": right}
    return {key: value for key, value in entry.items() if value is not None}


def mistake(raw):
    """The one line that a file is refused with."""
    with pytest.raises(ParameterError) as caught:
        validated(raw, "file.toml")
    [line] = str(caught.value).splitlines()
    return line


def test_validated__every_kind__units_are_the_contracts(raw):
    raw["oracle"].append(asset(PYTH, RATE, REPORTS))
    pyth, rate, reports = validated(raw).oracle[-1].sources
    assert pyth.feed_id == FEED
    assert (rate.max_growth_per_day, rate.rate_kind) == (10**15, "rate")
    assert (reports.max_age, reports.threshold, reports.share) == (600, 2, 3_333)
    assert [int(signer, 16) for signer in reports.signers] == [1, 2, 3]


def test_validated__examples_in_comments_of_the_file__accepted(raw):
    """The kinds that the devnet does not use are shown by example; the examples work."""
    text = DEVNET_PARAMETERS.read_text(encoding="utf-8")
    examples = re.findall(r"^#   (\{ kind = .*\})$", text, re.MULTILINE)
    sources = [tomllib.loads(f"source = {example}")["source"] for example in examples]
    assert {source["share"] for source in sources} == {"0.25"}
    feed = raw["oracle"][0]["sources"][0] | {"share": "0.25"}
    raw["oracle"].append(asset(*sources, feed))
    kinds = {source.kind for entry in validated(raw).oracle for source in entry.sources}
    assert kinds == set(SOURCE_KINDS)


def test_validated__dumped__same(raw):
    raw["oracle"].append(asset(PYTH, RATE, REPORTS))
    raw["derived"].append(derived("ETH/USDB", "inverse", "ETH"))
    parameters = validated(raw)
    assert DeploymentParameters.model_validate_json(parameters.model_dump_json()) == parameters


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        (PYTH, {"feed_id": "0x0a"}, "feed_id: '0x0a' is not a feed's id: 0x and 64 hexadecimal"),
        (PYTH, {"feed_id": "0a" * 33}, "is not a feed's id"),
        (PYTH, {"feed_id": "0x" + "0" * 64}, "feed_id: zero is no feed's id"),
        (PYTH, {"pyth": ...}, "sources.0.pyth: is missing"),
        (PYTH, {"pyth": ""}, "sources.0.pyth: String should have at least 1 character"),
        (PYTH, {"share": 0}, "sources.0.share: 0 is below the limit 0.0001"),
        (PYTH, {"share": "0.00005"}, "sources.0.share: 0.00005 has more than 4 decimals"),
        (PYTH, {"heartbeat": "1h"}, "sources.0.heartbeat: is not a parameter"),
        (RATE, {"rate_kind": "guess"}, "rate_kind: Input should be 'vault', 'steth_per_token'"),
        (RATE, {"token": ...}, "sources.0.token: is missing"),
        (
            RATE,
            {"max_growth_per_day": 0},
            "max_growth_per_day: 0 is below the limit 0.000000000000000001",
        ),
        (
            RATE,
            {"max_growth_per_day": 10**19},
            "max_growth_per_day: 10000000000000000000 is above the limit "
            "1701411834604692317.316873037158841057",
        ),
        (RATE, {"share": "1.0001"}, "share: 1.0001 is above the limit 1"),
        (REPORTS, {"threshold": 1}, "threshold: 1 is not above half of the 3 signers"),
        (REPORTS, {"threshold": 4}, "threshold: 4 is not above half of the 3 signers"),
        (REPORTS, {"threshold": 0}, "threshold: 0 is below the limit 1"),
        (REPORTS, {"threshold": 16}, "threshold: 16 is above the limit 15"),
        (REPORTS, {"max_age": 0}, "max_age: 0 is below the limit 1"),
        (REPORTS, {"max_age": 86_401}, "max_age: 86401 is above the limit 86400"),
        (REPORTS, {"signers": []}, "signers: Tuple should have at least 1 item"),
        (REPORTS, {"signers": SIGNERS}, "signers: Tuple should have at most 15 items"),
        (REPORTS, {"signers": ["0x12"]}, "signers.0: '0x12' is not an address"),
        (REPORTS, {"signers": [*SIGNERS[:2], SIGNERS[0]]}, f"signers: {SIGNERS[0]} is listed"),
        (
            REPORTS,
            {"signers": [*SIGNERS[:2], "0x" + "0" * 40]},
            "signers: the zero address cannot sign",
        ),
    ],
)
def test_validated__mistake_in_a_source__named(raw, source, changes, message):
    entry = {key: value for key, value in (source | changes).items() if value is not ...}
    raw["oracle"].append(asset(entry))
    line = mistake(raw)
    assert line.startswith("file.toml: oracle.NEW.sources.0")
    assert message in line


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (PYTH, PYTH | {"feed_id": FEED.upper().replace("X", "x")}, f"feed {FEED} of Pyth would"),
        (RATE, RATE | {"rate_kind": "steth_per_token"}, "the rate of LST would vote twice"),
        (REPORTS, REPORTS | {"signers": SIGNERS[2::-1], "max_age": 5}, " report would vote twice"),
    ],
)
def test_validated__same_thing_read_twice__named(raw, first, second, message):
    raw["oracle"].append(asset(first, second))
    assert message in mistake(raw)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (PYTH, PYTH | {"feed_id": "0x" + "0b" * 32}),
        (PYTH, PYTH | {"pyth": "Other"}),
        (RATE, RATE | {"token": "WBTC"}),
        (REPORTS, REPORTS | {"signers": SIGNERS[1:4]}),
    ],
)
def test_validated__different_things_read__accepted(raw, first, second):
    raw["oracle"].append(asset(first, second))
    assert len(validated(raw).oracle[-1].sources) == 2


def test_signers__any_order__ascending_for_the_contract():
    source = SignedReportSource.model_validate(REPORTS | {"signers": SIGNERS[2::-1], "share": 1})
    assert [int(signer, 16) for signer in source.ascending] == [1, 2, 3]


def test_growth__largest_in_a_file__one_percent_of_the_largest_rate():
    highest = (2**127 - 1) // 100
    text = f"{highest // 10**18}.{highest % 10**18:018d}"
    source = ExchangeRateSource.model_validate(RATE | {"max_growth_per_day": text, "share": 1})
    assert source.max_growth_per_day == highest


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [derived("A", "product", "ETH", "DOGE")],
            "derived.A.right: DOGE is not in oracle or derived, which have BTC, ETH, LST/ETH",
        ),
        ([derived("A", "inverse", "DOGE")], "derived.A.left: DOGE is not in oracle or derived"),
        ([derived("A", "inverse", "A")], "derived.A: depends on itself: A → A"),
        (
            [
                derived("A", "inverse", "B"),
                derived("B", "product", "ETH", "C"),
                derived("C", "quotient", "B", "BTC"),
            ],
            "derived.B: depends on itself: B → C → B",
        ),
        (
            [
                derived("C", "inverse", "B"),
                derived("B", "inverse", "A"),
                derived("A", "inverse", "ETH"),
            ],
            "derived.C: depth 4 is above the limit 3 (C → B → A → ETH)",
        ),
        ([derived("A", "inverse", "ETH", "BTC")], "derived.A: right: BTC is not used: an inverse"),
        ([derived("A", "product", "ETH")], "derived.A: right: is missing: a product has two parts"),
        ([derived("A", "quotient", "ETH")], "right: is missing: a quotient has two parts"),
        ([derived("A", "sum", "ETH", "BTC")], "derived.A.operation: Input should be 'inverse'"),
        ([derived("A", "inverse", "ETH") | {"share": 1}], "derived.A.share: is not a parameter"),
        ([derived("ETH", "inverse", "BTC")], "derived: ETH is in oracle already"),
        ([derived("A", "inverse", "ETH")] * 2, "derived: A is listed twice"),
    ],
)
def test_validated__mistake_in_a_derived_asset__named(raw, entries, message):
    raw["derived"] = entries
    assert message in mistake(raw)


def test_validated__derived_asset__is_priced_like_any_other(raw):
    raw["derived"].append(derived("ETH/BTC", "quotient", "ETH", "BTC"))
    raw["pegs"][0] |= {"underlying": "LST/USDB", "market_ratio": "ETH/BTC"}
    raw["markets"][0]["index_asset"] = "ETH/BTC"
    raw["collaterals"][1]["asset"] = "LST/USDB"
    raw["breaker"]["watched_prices"] = ["ETH/BTC"]
    assert validated(raw).markets[0].index_asset == "ETH/BTC"


def test_derivations__any_order_in_the_file__parts_first(raw):
    raw["derived"] = [
        derived("C", "product", "B", "A"),
        derived("B", "inverse", "A"),
        derived("A", "inverse", "ETH"),
    ]
    with pytest.raises(ParameterError, match=r"derived\.C: depth 4"):
        validated(raw)
    raw["derived"][1] = derived("B", "inverse", "BTC")
    found = [(entry.name, depth) for entry, depth in validated(raw).derivations]
    assert found == [("B", 2), ("A", 2), ("C", 3)]


def test_awaiting_reports__signed_reports_needed_for_the_quorum__all_that_follow(raw):
    feed = raw["oracle"][0]["sources"][0]
    reports, feed = REPORTS | {"share": "0.4"}, feed | {"share": "0.6"}
    enough = asset(reports, feed, name="BACKED") | {"quorum": "0.6"}
    short = asset(reports, feed, name="SHORT") | {"quorum": "0.6001"}
    raw["oracle"] += [asset(REPORTS, name="ALONE"), enough, short]
    raw["derived"] += [
        derived("INNER", "inverse", "ALONE"),
        derived("OUTER", "product", "ETH", "INNER"),
        derived("OTHER", "product", "ETH", "BACKED"),
    ]
    assert validated(raw).awaiting_reports == {"ALONE", "SHORT", "INNER", "OUTER"}


def test_awaiting_reports__devnet__none():
    assert devnet_parameters().awaiting_reports == frozenset()


NAMES = st.sampled_from(["ETH", "BTC", "A", "B", "C", "D", "NONE"])
ENTRIES = st.dictionaries(st.sampled_from("ABCD"), st.tuples(NAMES, NAMES), min_size=1)


@given(ENTRIES)
def test_in_order__any_graph__accepted_just_if_the_aggregator_takes_it_in_some_order(graph):
    """Deriving whatever can be derived, again and again, gets as far as the aggregator allows."""
    entries = [
        DerivedParameters(name=name, operation="product", left=left, right=right)
        for name, (left, right) in graph.items()
    ]
    oracle = OracleAggregator({}, 3_600)
    config = AssetConfig(1, 0, 10_000, 1, 1, 1, 1, 3_600, 0)
    for name in ("ETH", "BTC"):
        oracle.configure(name, config, [SourceConfig("0x01", 10_000)], 0)
    left = list(entries)
    for _ in entries:
        for entry in list(left):
            try:
                rule = Derivation(entry.left, entry.right, Formula.PRODUCT)
                oracle.derive(entry.name, rule)
                left.remove(entry)
            except (OracleAggregator_UnknownAsset, OracleAggregator_TooDeep):
                continue
    try:
        ordered = in_order(entries, ("ETH", "BTC"))
    except ValueError:
        assert left
    else:
        assert left == []
        depths = {entry.name: depth for entry, depth in ordered}
        assert depths == {name: oracle.derivation(name)[1] for name in graph}
        assert max(depths.values()) <= MAX_DEPTH
        known = {"ETH", "BTC"}
        for entry, _ in ordered:
            assert known.issuperset(entry.parts)
            known.add(entry.name)
