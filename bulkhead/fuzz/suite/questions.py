"""What operations ask about the model's state, to find arguments near the edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from bulkhead.fuzz.operation import Call
from bulkhead.model import token_scale
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import WAD, mul_div_down
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.sequencer_uptime import UptimeConfig, is_settled
from bulkhead.model.tokens import ERC20
from bulkhead.model.types import SETTLEMENT, AccountId, AccountValuation, Address, pack
from bulkhead.model.vaults import LedgerVault

if TYPE_CHECKING:
    from bulkhead.deployment.addresses import AddressBook
    from bulkhead.fuzz.suite.model import Model

SLACK = WAD // 500
"""Of the notional: what fee and price impact take of the margin, about."""
_OFF = 100
"""A price that has moved by this factor since the beginning is not believed."""


class Questions:
    """Answers from the model as it is now.

    Attributes:
        model: what is asked.
        book: of the deployment.
        actors: addresses of those who play.
        keeper, staker, guardian: addresses.
        governor: an address, who also runs feeds, LST and tokens.
        accounts: that are looked at.
        prober: the keeper's account for round trips.
        grantees: whom owners may make operators.
        keys: people's private keys, ``0x…``, by address.
        feed_names: in order.
        settlement_symbol: what the settlement token's contract is called.
        played: calls of this sequence so far.
    """

    model: Model
    book: AddressBook
    actors: tuple[Address, ...]
    keeper: Address
    staker: Address
    governor: Address
    guardian: Address
    accounts: tuple[AccountId, ...]
    prober: AccountId
    grantees: tuple[Address, ...]
    keys: Mapping[Address, str]
    feed_names: tuple[str, ...]
    settlement_symbol: str
    played: int
    _first_answers: Mapping[str, int]
    _symbols: Sequence[str]

    @property
    def now(self) -> int:
        """The model's time, Unix seconds."""
        return self.model.now

    # ------------------------------------------------------------------ tokens

    def account(self, owner: Address, sub: int) -> AccountId:
        """Return an account's id."""
        return pack(owner, sub)

    def token(self, collateral: int) -> ERC20 | None:
        """Return the token of a collateral id, None if it is not listed."""
        if collateral == SETTLEMENT:
            return self.model.settlement
        if not 0 < collateral <= self.collateral_count:
            return None
        config = self.model.risk_parameters.collateral_config(collateral)
        return self.model.tokens[config.token]

    def symbol(self, collateral: int) -> str:
        """Return what the contract of a listed collateral's token is called."""
        return self._symbols[collateral]

    def wallet(self, owner: Address, collateral: int) -> int:
        """Return the token units in an owner's wallet."""
        token = self.token(collateral)
        return 0 if token is None else token.balance_of(owner)

    def held(self, account: AccountId, collateral: int) -> int:
        """Return the token units that an account could withdraw if nothing were asked of it."""
        engine = self.model.margin_engine
        if collateral == SETTLEMENT:
            cash = max(0, engine.account_ledger(account).cash)
            return token_scale.to_tokens_down(cash, self.model.settlement.decimals)
        return engine.collateral_balance(account, collateral)

    def vault(self, index: int) -> tuple[str, LedgerVault]:
        """Return the pool (0) or the insurance fund (1), with its name."""
        if index == 0:
            return "LiquidityVault", self.model.liquidity_vault
        return "InsuranceFund", self.model.insurance_fund

    def unrequested(self, vault: LedgerVault, owner: Address) -> int:
        """Return the shares that an owner has not asked to redeem, or asked in vain."""
        r = vault.exit_request(owner)
        live = r.shares if self.now <= r.expires_at else 0
        return vault.balance_of(owner) - live

    # ------------------------------------------------------------------ accounts

    @property
    def collateral_count(self) -> int:
        """Number of listed collaterals."""
        return self.model.risk_parameters.collateral_count

    def valuation(self, account: AccountId) -> AccountValuation | None:
        """Return what an account is worth, None if it has no price."""
        try:
            return self.model.margin_engine.valuation(account)
        except ModelRevert:
            return None

    def is_flat(self, account: AccountId) -> bool:
        """Return whether an account has neither positions nor debt, so that nothing is asked."""
        mask = self.model.perp_exchange._market_mask.get(account, 0)
        return not mask and self.debt(account) == 0

    def is_unhealthy(self, account: AccountId) -> bool:
        """Return whether an account is below its maintenance margin; False if it has no price."""
        if self.is_flat(account):
            return False
        v = self.valuation(account)
        if v is None:
            return False
        return v.equity_maintenance < v.maintenance_margin and v.buffer_at_index < 0

    def is_short(self, account: AccountId) -> bool:
        """Return whether an account lacks margin at close-out value, perhaps not at the index."""
        v = None if self.is_flat(account) else self.valuation(account)
        return v is not None and v.equity_maintenance < v.maintenance_margin

    def debt(self, account: AccountId) -> int:
        """Return an account's debt, WAD."""
        return max(0, -self.model.margin_engine.account_ledger(account).cash)

    def markets_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the markets in which an account has a position."""
        mask = self.model.perp_exchange._market_mask.get(account, 0)
        return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)

    def collaterals_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the collaterals that an account holds."""
        return tuple(i for i in range(1, self.collateral_count + 1) if self.held(account, i))

    def has_only_dust(self, account: AccountId) -> bool:
        """Return whether an account's collateral is worth too little to hold up a write-off."""
        v = self.valuation(account) if self.collaterals_of(account) else AccountValuation()
        dust = self.model.risk_parameters.compartment_parameters().dust_units * WAD
        return v is not None and v.collateral_maintenance + v.uncertain < dust

    def auctions_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the collaterals of an account that are up for auction, or were until it ended."""
        engine = self.model.liquidation_engine
        ids = range(1, self.collateral_count + 1)
        return tuple(i for i in ids if engine.auction_started_at(account, i))

    def running_auctions_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the collaterals of an account that can be bought now, by the clock."""
        duration = self.model.risk_parameters.compartment_parameters().auction_duration
        since = self.now - 2 * duration
        engine = self.model.liquidation_engine
        found = self.auctions_of(account)
        return tuple(i for i in found if engine.auction_started_at(account, i) >= since)

    def those(self, fitting: Callable[[AccountId], bool]) -> list[AccountId]:
        """Return the accounts that fit."""
        return [account for account in self.accounts if fitting(account)]

    # ------------------------------------------------------------------ markets and feeds

    def affordable_size(self, account: AccountId, market: int) -> int:
        """Return roughly the WAD base units that the account's free margin carries."""
        v = self.valuation(account)
        try:
            trading = self.model.risk_parameters.market_trading(market)
            index_price, _ = self.model.perp_exchange.index_price(market)
        except ModelRevert:
            return WAD
        if v is None:
            return WAD
        free = max(0, v.equity_initial - v.initial_margin)
        return size_for(free * WAD // (trading.initial_margin_ratio + SLACK), index_price)

    def index_status(self, market: int) -> PriceStatus:
        """Return how good a market's index price is."""
        return self.model.perp_exchange.index_price(market)[1]

    def feeds_of(self, asset: str) -> tuple[str, ...]:
        """Return the names of an asset's feeds."""
        return tuple(name for name in self.feed_names if name.rpartition("-")[0] == asset)

    def answer(self, feed: str) -> int:
        """Return what a feed's last round answers, in its own decimals."""
        return self.model.feeds[feed].round.answer

    def first_answer(self, feed: str) -> int:
        """Return what a feed answered when the sequence began, in its own decimals."""
        return self._first_answers[feed]

    @property
    def assets(self) -> list[str]:
        """Names of what feeds price."""
        return list(dict.fromkeys(name.rpartition("-")[0] for name in self.feed_names))

    def is_good(self, asset: str, at: int) -> bool:
        """Return whether an asset has a valid price at a time, if nothing happens before."""
        return self.model.oracle.latest(asset, at).status == PriceStatus.VALID

    def is_sequenced(self, at: int) -> bool:
        """Return whether the sequencer keeps no price from being good at a time."""
        oracle = self.model.oracle
        config = UptimeConfig(*oracle.uptime_feed())
        return is_settled(config, oracle.uptime_feeds, at)

    def sensible_answer(self, asset: str) -> int:
        """Return an answer for an asset's feeds: the first one's, unless that is absurd."""
        feed = self.feeds_of(asset)[0]
        first, answer = self.first_answer(feed), self.answer(feed)
        source = self.model.feeds[feed].round
        counts = source.min_answer < answer < source.max_answer
        return answer if counts and first // _OFF <= answer <= first * _OFF else first

    def report(self, feed: str, answer: int) -> Call:
        """Return the call that makes a feed answer."""
        return Call(self.governor, feed, "setAnswer", (answer,))


def size_for(notional: int, index_price: int) -> int:
    """Return WAD base units worth a notional, rounded down; 0 without a price."""
    return mul_div_down(notional, WAD, index_price) if index_price else 0
