"""Who takes part in a depeg: numbers, habits and money, drawn from a seed.

The sizes are invented. They are chosen so that the collateral's spot market is deep enough to be
used and too shallow for everybody to leave through it, and so that the pool is a small multiple of
the traders' margin, as on young venues.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bulkhead.agents.arbitrage import PegArbitrageur, SpotArbitrageur
from bulkhead.agents.base import Agent
from bulkhead.agents.keepers import (
    AuctionKeeper,
    BreakerKeeper,
    FeedPublisher,
    LiquidationKeeper,
    OracleKeeper,
)
from bulkhead.agents.providers import InsuranceStaker, LiquidityProvider
from bulkhead.agents.stakers import Staker
from bulkhead.agents.trader import COLLATERALS, Trader, TraderProfile
from bulkhead.agents.view import OutsidePrices
from bulkhead.chain.codec import asset_id
from bulkhead.scenarios.funding import USDB_UNIT, WBTC_UNIT, Funding
from bulkhead.scenarios.world import ETHER, World, wallet

ETH_MARKET, BTC_MARKET = 0, 1


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much money takes part. Settlement units unless the name says otherwise.

    Attributes:
        pool, insurance: what liquidity providers and insurers put in.
        margin: what all traders together post.
        staked_ether: LST (whole) in the hands of those who may sell in panic.
        redeemer_ether: WETH (whole) of those who buy the discount and redeem.
    """

    pool: int = 650_000
    insurance: int = 200_000
    margin: int = 5_000_000
    staked_ether: int = 9_000
    redeemer_ether: int = 5_000


@dataclass(slots=True)
class Cast:
    """Everybody, in two groups by when they act in a step.

    Attributes:
        market: before the step's first block: feeds, arbitrage, stakers, oracle.
        users: between the two blocks: traders, providers, liquidators.
        traders: all traders.
        keeper: the auction keeper's address, which holds settlement tokens.
        prober: owner of an account that never trades, for simulated trades.
    """

    market: list[Agent] = field(default_factory=list)
    users: list[Agent] = field(default_factory=list)
    traders: list[Trader] = field(default_factory=list)
    keeper: str = ""
    prober: str = ""


def assemble(
    world: World,
    funding: Funding,
    seed: int,
    traders: int,
    warmup: int,
    prices: OutsidePrices,
    sizes: Sizes,
) -> Cast:
    """Create everybody, and collect in ``funding`` what gives them their money.

    Args:
        world: the chain.
        funding: is filled.
        seed: of all draws.
        traders: how many.
        warmup: steps in which they open.
        prices: at the beginning.
        sizes: how much money there is.
    """
    cast = Cast(keeper=wallet("auction keeper"), prober=wallet("prober"))
    _keepers(world, funding, cast)
    _arbitrageurs(funding, cast, sizes, prices)
    _stakers(funding, cast, Random(f"stakers-{seed}"), sizes)
    _traders(world, funding, cast, Random(f"traders-{seed}"), traders, warmup, prices, sizes)
    _providers(funding, cast, Random(f"providers-{seed}"), sizes)
    # Last in the first block: they record what the others did before them.
    oracle = OracleKeeper(
        wallet("oracle keeper"),
        assets=[asset_id(name) for name in ("ETH", "BTC", "LST/ETH")],
        pegs=[asset_id("LST")],
        markets=list(world.book.markets.values()),
    )
    breaker = BreakerKeeper(wallet("breaker keeper"))
    cast.market += [oracle, breaker]
    cast.users += [
        LiquidationKeeper(wallet("liquidation keeper")),
        AuctionKeeper(
            cast.keeper,
            dust=world.book.parameters.compartment.dust_units * ETHER,
            largest_lot={1: 120 * ETHER, 3: 200 * ETHER},
        ),
        # After the liquidations, so that their volume and profit are in the next reading.
        OracleKeeper(wallet("market keeper"), (), (), list(world.book.markets.values())),
        BreakerKeeper(wallet("second breaker keeper")),
    ]
    for name in ("liquidation keeper", "auction keeper"):
        world.watch(wallet(name))
    return cast


def _keepers(world: World, funding: Funding, cast: Cast) -> None:
    feeds: dict[str, tuple[str, ...]] = {
        asset: tuple(n for n in world.book.feeds if n.rpartition("-")[0] == asset)
        for asset in ("ETH", "BTC", "LST/ETH")
    }
    cast.market.append(FeedPublisher(world.book.deployer, feeds))
    funding.give(cast.keeper, "USDB", 3_000_000 * USDB_UNIT)
    funding.approve(cast.keeper, "USDB", "CollateralVault")
    funding.give(cast.prober, "USDB", 50_000 * USDB_UNIT)
    funding.approve(cast.prober, "USDB", "CollateralVault")
    funding.deposit_margin(cast.prober, "USDB", 50_000 * USDB_UNIT)
    world.watch(cast.prober)


def _arbitrageurs(funding: Funding, cast: Cast, sizes: Sizes, prices: OutsidePrices) -> None:
    spot = SpotArbitrageur(wallet("spot arbitrageur"))
    funding.give(spot.address, "USDB", 60_000_000 * USDB_UNIT)
    funding.give(spot.address, "WETH", round(60_000_000 / prices.eth) * ETHER)
    for token in ("USDB", "WETH"):
        funding.approve(spot.address, token, "SwapRouter")
    cast.market.append(spot)
    # The more demanding one first: her limit is the lower one.
    for i, (asked, share, edge) in enumerate(((0.45, 0.6, 0.002), (0.10, 0.4, 0.0005))):
        buyer = PegArbitrageur(wallet(f"peg arbitrageur {i}"), yearly_return=asked, edge=edge)
        funding.give(buyer.address, "WETH", int(sizes.redeemer_ether * share) * ETHER)
        funding.approve(buyer.address, "WETH", "SwapRouter")
        cast.market.append(buyer)


def _stakers(funding: Funding, cast: Cast, rng: Random, sizes: Sizes) -> None:
    count = 14
    weights = [rng.lognormvariate(0, 0.6) for _ in range(count)]
    for i, weight in enumerate(weights):
        held = int(sizes.staked_ether * weight / sum(weights) * 1_000) * (ETHER // 1_000)
        staker = Staker(
            wallet(f"staker {i}"),
            nerve=rng.uniform(0.003, 0.055),
            haste=rng.uniform(0.10, 0.45),
        )
        funding.give(staker.address, "LST", held)
        funding.approve(staker.address, "LST", "SwapRouter")
        cast.market.append(staker)


def _traders(
    world: World,
    funding: Funding,
    cast: Cast,
    rng: Random,
    count: int,
    warmup: int,
    prices: OutsidePrices,
    sizes: Sizes,
) -> None:
    weights = [min(6.0, max(0.12, rng.lognormvariate(0, 0.85))) for _ in range(count)]
    for i, weight in enumerate(weights):
        value = sizes.margin * weight / sum(weights)
        profile = _profile(rng, warmup)
        trader = Trader(wallet(f"trader {i}"), profile)
        token = COLLATERALS[profile.collateral]
        amount = _tokens_worth(token, value, prices)
        # Who watches her position usually has something left to defend it with.
        reserve = int(amount * rng.uniform(0.1, 0.6)) if profile.attention > 0 else 0
        funding.give(trader.address, token, amount + reserve)
        funding.approve(trader.address, token, "CollateralVault")
        funding.deposit_margin(trader.address, token, amount)
        world.watch(trader.address)
        cast.traders.append(trader)
        cast.users.append(trader)


def _profile(rng: Random, warmup: int) -> TraderProfile:
    collateral = rng.choices((0, 1, 2, 3), (34, 48, 8, 10))[0]
    is_long = rng.random() < {0: 0.20, 1: 0.85, 2: 0.60, 3: 0.70}[collateral]
    market = BTC_MARKET if rng.random() < (0.65 if collateral == 2 else 0.16) else ETH_MARKET
    leverage = rng.triangular(1.8, 12.5, 5.0) if is_long else rng.uniform(3.0, 9.0)
    attention = 0.0 if rng.random() < 0.42 else rng.uniform(0.25, 0.9)
    return TraderProfile(
        market=market,
        direction=1 if is_long else -1,
        collateral=collateral,
        leverage=leverage,
        opens_at=rng.randrange(1, max(2, warmup - 1)),
        attention=attention,
        take_profit=rng.uniform(0.3, 1.2),
        target_health=rng.uniform(1.2, 1.7),
    )


def _tokens_worth(token: str, value: float, prices: OutsidePrices) -> int:
    """Return raw token units worth ``value`` settlement units."""
    if token == "USDB":
        return int(value) * USDB_UNIT
    if token == "WBTC":
        return int(value / prices.btc * WBTC_UNIT)
    return int(value / prices.eth * 10_000) * (ETHER // 10_000)


def _providers(funding: Funding, cast: Cast, rng: Random, sizes: Sizes) -> None:
    for i, share in enumerate((0.34, 0.26, 0.18, 0.13, 0.09)):
        provider = LiquidityProvider(wallet(f"liquidity provider {i}"), rng.uniform(0.02, 0.25))
        amount = int(sizes.pool * share)
        funding.give(provider.address, "USDB", int(amount * 1.1) * USDB_UNIT)
        funding.deposit_vault(provider.address, "LiquidityVault", amount * USDB_UNIT)
        cast.users.append(provider)
    for i, share in enumerate((0.5, 0.3, 0.2)):
        insurer = InsuranceStaker(wallet(f"insurer {i}"), rng.uniform(0.01, 0.2))
        amount = int(sizes.insurance * share)
        funding.give(insurer.address, "USDB", int(amount * 1.1) * USDB_UNIT)
        funding.deposit_vault(insurer.address, "InsuranceFund", amount * USDB_UNIT)
        cast.users.append(insurer)
