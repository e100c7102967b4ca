"""Every bound at its edge: the limit is accepted, one beyond refused by name, value and limits."""

from __future__ import annotations

import pytest

WAD = 10**18
MAX_AMOUNT = 10**36
UINT256_MAX = 2**256 - 1
ZERO_ASSET = bytes(32)


def word(text):
    return text.encode().ljust(32, b"\0")


TRADING = {
    "indexAsset": word("ETH"),
    "skewScale": 1_000 * WAD,
    "maxOpenInterest": 10 * WAD,
    "maxPremium": WAD // 100,
    "takerFee": WAD // 1_000,
    "initialMarginRatio": WAD // 10,
    "maintenanceMarginRatio": WAD // 20,
    "maxInitialMarginRatio": WAD,
    "volatilityMultiplier": WAD,
    "maxFundingRate": WAD // 10,
    "maxFundingVelocity": WAD,
    "premiumScale": WAD // 100,
    "fundingDeadband": 0,
    "makerFee": 0,
    "maxRebate": 0,
    "priceBand": WAD // 200,
    "instantSpread": 0,
    "maxPoolShareBps": 10**7,
    "premiumPeriod": 3_600,
    "fundingGain1": 10_000,
    "fundingGain2": 10_000,
    "fundingGain3": 10_000,
    "fundingGain4": 10_000,
}
LIQUIDATION = {"penalty": WAD // 100, "keeperShare": WAD // 2, "minNotional": 100 * WAD}
NEW_MARKET = 2
MARKET_BOUNDS = [
    # field, least, most, further changes
    ("skewScale", WAD, MAX_AMOUNT, {"maxOpenInterest": 0}),
    ("maxOpenInterest", 0, 10 * WAD, {}),
    (
        "maxPremium",
        WAD // 1_000,
        WAD // 4,
        {"maxOpenInterest": 0, "maintenanceMarginRatio": WAD // 2, "initialMarginRatio": WAD},
    ),
    ("takerFee", 0, WAD // 100, {}),
    ("maintenanceMarginRatio", WAD // 50, WAD // 2, {"initialMarginRatio": WAD, "penalty": 0}),
    (
        "maintenanceMarginRatio",
        WAD // 200,
        WAD // 2,
        {"initialMarginRatio": WAD, "penalty": 0, "maxPremium": WAD // 1_000, "maxOpenInterest": 0},
    ),
    ("initialMarginRatio", WAD // 16, WAD, {}),
    ("maxInitialMarginRatio", WAD // 10, WAD, {}),
    ("volatilityMultiplier", 0, 10 * WAD, {}),
    ("maxFundingRate", 0, WAD // 2, {}),
    ("maxFundingVelocity", 0, 10 * WAD, {}),
    ("premiumScale", WAD // 10_000, WAD, {}),
    ("fundingDeadband", 0, WAD // 10, {}),
    ("makerFee", 0, WAD // 1_000, {}),
    ("maxRebate", 0, WAD * 15 // 10_000, {}),
    ("priceBand", WAD // 1_000, WAD // 20, {}),
    (
        "priceBand",
        WAD // 1_000,
        WAD // 10,
        {"maintenanceMarginRatio": WAD // 8, "initialMarginRatio": WAD},
    ),
    ("instantSpread", 0, WAD // 100, {}),
    ("maxPoolShareBps", 100, 10**7, {}),
    ("fundingGain4", 10_000, 50_000, {}),
    ("premiumPeriod", 60, 86_400, {}),
    ("penalty", 0, WAD // 40, {}),
    ("keeperShare", 0, WAD, {}),
    ("minNotional", 0, 10**24, {}),
]


@pytest.fixture
def set_market(world):
    """List market 2, or change one, with some values replaced."""

    def _set_market(market=NEW_MARKET, sender=None, **changes):
        trading, liquidation = dict(TRADING), dict(LIQUIDATION)
        for name, value in changes.items():
            (trading if name in trading else liquidation)[name] = value
        return world.risk.transact(
            "setMarket", market, trading, liquidation, sender=sender or world.governor
        )

    return _set_market


@pytest.mark.parametrize(
    ("field", "least", "most", "others"),
    MARKET_BOUNDS,
    ids=[f"{row[0]}-{i}" for i, row in enumerate(MARKET_BOUNDS)],
)
def test_set_market__at_a_bound__accepted_and_beyond_refused(
    world, set_market, refuses, field, least, most, others
):
    for value in (least, most):
        snapshot = world.rpc.snapshot()
        set_market(**others, **{field: value})
        stored = {
            **world.risk.call("marketTrading", NEW_MARKET)._asdict(),
            **world.risk.call("marketLiquidation", NEW_MARKET)._asdict(),
        }
        assert stored[field] == value
        world.rpc.revert(snapshot)
    beyond = [most + 1] + ([least - 1] if least else [])
    for value in beyond:
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, most):
            set_market(**others, **{field: value})


def test_set_market__without_an_index_asset__refused(set_market, refuses):
    with refuses("RiskParameters_OutOfBounds", word("indexAsset"), 0, 1, UINT256_MAX):
        set_market(indexAsset=ZERO_ASSET)


def test_set_market__fee_above_half_of_a_low_maintenance_margin__refused(set_market, refuses):
    low = {
        "maintenanceMarginRatio": WAD // 200,
        "maxPremium": WAD // 1_000,
        "maxOpenInterest": 0,
        "penalty": 0,
    }
    set_market(**low, takerFee=WAD // 400)
    with refuses("RiskParameters_OutOfBounds", word("takerFee"), WAD // 400 + 1, 0, WAD // 400):
        set_market(**low, takerFee=WAD // 400 + 1)


def test_set_market__next_id__lists_it(world, set_market):
    assert world.risk.call("marketCount") == 2
    receipt = set_market()
    assert world.risk.call("marketCount") == 3
    assert world.risk.call("marketTrading", 2)._asdict() == TRADING
    assert world.risk.call("marketLiquidation", 2)._asdict() == LIQUIDATION
    [event] = world.risk.events(receipt)
    assert event.name == "MarketConfigured"
    assert (event.args.market, event.args.trading._asdict()) == (2, TRADING)
    assert event.args.liquidation._asdict() == LIQUIDATION


def test_set_market__id_beyond_the_next__refused(set_market, refuses):
    with refuses("RiskParameters_UnknownMarket", 3):
        set_market(3)


def test_set_market__seventeenth__refused(world, set_market, refuses):
    for market in range(2, 16):
        set_market(market)
    assert world.risk.call("marketCount") == 16
    with refuses("RiskParameters_OutOfBounds", word("market"), 16, 0, 15):
        set_market(16)


def test_set_market__listed__may_change_but_for_its_index(world, set_market, refuses):
    set_market()
    with refuses("RiskParameters_Immutable", word("indexAsset")):
        set_market(indexAsset=word("BTC"))
    set_market(takerFee=0)
    assert world.risk.call("marketTrading", 2).takerFee == 0
    assert world.risk.call("marketCount") == 3


def test_set_market__listed__may_deepen_but_not_flatten_its_curve(set_market, refuses):
    set_market()
    set_market(skewScale=2_000 * WAD)
    with refuses(
        "RiskParameters_OutOfBounds",
        word("skewScale"),
        2_000 * WAD - 1,
        2_000 * WAD,
        MAX_AMOUNT,
    ):
        set_market(skewScale=2_000 * WAD - 1)


@pytest.mark.parametrize("function", ["marketTrading", "marketLiquidation", "marketMargin"])
def test_market__not_listed__refused(world, refuses, function):
    with refuses("RiskParameters_UnknownMarket", 2):
        world.risk.call(function, 2)


# ---------------------------------------------------------------------- collaterals


@pytest.fixture
def set_collateral(world):
    """List collateral 4, or change one, with some values replaced."""
    token = world.deploy("DevToken", "Token", "T", 8)

    def _set_collateral(collateral=4, **changes):
        config = {
            "token": token.address,
            "decimals": 8,
            "pegged": False,
            "haircut": WAD // 10,
            "asset": word("BTC"),
            "cap": 1_000,
            "depth": 0,
            **changes,
        }
        return world.risk.transact("setCollateral", collateral, config, sender=world.governor)

    return _set_collateral


@pytest.mark.parametrize(
    ("field", "least", "most", "others"),
    [
        ("haircut", WAD // 100, WAD * 9 // 10, {}),
        ("haircut", 0, 0, {"pegged": True}),
        ("cap", 0, MAX_AMOUNT, {}),
        ("depth", 0, 10**31, {}),
        ("decimals", 8, 8, {}),
    ],
    ids=["haircut", "haircut-of-pegged", "cap", "depth", "decimals"],
)
def test_set_collateral__at_a_bound__accepted_and_beyond_refused(
    world, set_collateral, refuses, field, least, most, others
):
    others = {**others, **({"haircut": 0} if "pegged" in others and field != "haircut" else {})}
    for value in {least, most}:
        snapshot = world.rpc.snapshot()
        set_collateral(**others, **{field: value})
        assert getattr(world.risk.call("collateralConfig", 4), field) == value
        world.rpc.revert(snapshot)
    for value in [most + 1] + ([least - 1] if least else []):
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, most):
            set_collateral(**others, **{field: value})


def test_set_collateral__more_than_18_decimals__refused(world, set_collateral, refuses):
    token = world.deploy("DevToken", "Token", "T", 19)
    with refuses("RiskParameters_OutOfBounds", word("decimals"), 19, 0, 18):
        set_collateral(token=token.address, decimals=19)


def test_set_collateral__without_an_asset__refused(set_collateral, refuses):
    with refuses("RiskParameters_OutOfBounds", word("asset"), 0, 1, UINT256_MAX):
        set_collateral(asset=ZERO_ASSET)


def test_set_collateral__next_id__lists_it(world, set_collateral):
    receipt = set_collateral()
    assert world.risk.call("collateralCount") == 4
    [event] = world.risk.events(receipt)
    assert (event.name, event.args.collateral) == ("CollateralConfigured", 4)
    assert event.args.config == world.risk.call("collateralConfig", 4)


def test_set_collateral__neither_listed_nor_next__refused(set_collateral, refuses):
    with refuses("RiskParameters_UnknownCollateral", 5):
        set_collateral(5)


@pytest.mark.parametrize("collateral", [0, 9, 255])
def test_set_collateral__no_such_number__refused(set_collateral, refuses, collateral):
    with refuses("RiskParameters_OutOfBounds", word("collateral"), collateral, 1, 8):
        set_collateral(collateral)


def test_set_collateral__ninth__refused(world, set_collateral, refuses):
    for collateral in range(4, 9):
        token = world.deploy("DevToken", "Token", "T", 8)
        set_collateral(collateral, token=token.address)
    assert world.risk.call("collateralCount") == 8
    with refuses("RiskParameters_OutOfBounds", word("collateral"), 9, 1, 8):
        set_collateral(9)


def test_set_collateral__token_listed_twice_or_settlement__refused(world, set_collateral, refuses):
    for token in (world.wbtc, world.lst, world.usdb):
        with refuses("RiskParameters_TokenAlreadyListed", token.address):
            set_collateral(token=token.address, decimals=token.call("decimals"))


@pytest.mark.parametrize(
    ("field", "value", "others"),
    [
        ("token", "0x" + "11" * 20, {}),
        ("decimals", 7, {}),
        ("pegged", True, {"haircut": 0}),
        ("asset", word("ETH"), {}),
    ],
)
def test_set_collateral__listed__may_not_change_what_it_is(
    set_collateral, refuses, field, value, others
):
    set_collateral()
    with refuses("RiskParameters_Immutable", word(field)):
        set_collateral(**others, **{field: value})
    set_collateral(cap=5, haircut=WAD // 5)


def test_collateral__not_listed__refused(world, refuses):
    for collateral in (0, 4):
        with refuses("RiskParameters_UnknownCollateral", collateral):
            world.risk.call("collateralConfig", collateral)
