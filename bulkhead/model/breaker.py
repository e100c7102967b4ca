"""Twin of ``CircuitBreaker``: tiers 0 to 4 of a compartment."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bulkhead.model import roles
from bulkhead.model.context import Cell, Contract, Table, external
from bulkhead.model.math import WAD, checked_uint, mul_div_down, mul_div_up, to_uint
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.policy import HALT, max_tier
from bulkhead.model.reverts import (
    CircuitBreaker_Blocked,
    CircuitBreaker_NotLiquidationEngine,
    CircuitBreaker_OutOfBounds,
    CircuitBreaker_Resting,
)
from bulkhead.model.types import (
    Action,
    Address,
    BreakerState,
    BreakerTiming,
    Bucket,
    Cause,
    Thresholds,
)


class Signal(NamedTuple):
    """Tier that a signal asks for, what it is, and what it measured (WAD)."""

    target: int
    cause: Cause
    value: int


class Reference(NamedTuple):
    """WAD prices that moves are measured against, of this window and the one before, and when."""

    price: int = 0
    taken_at: int = 0
    previous_price: int = 0
    previous_taken_at: int = 0


_NO_REFERENCE = Reference()


class CircuitBreaker(Contract):
    """What is allowed now."""

    def __init__(self, parts: Parts) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.circuit_breaker)
        self._parts = parts
        self._state = Cell(context, BreakerState(since=context.now))
        self._liquidations = Cell(context, Bucket())
        self._bad_debt = Cell(context, Bucket())
        self._references: Table[str, Reference] = Table(context)

    @external
    def poke(self, sender: Address) -> int:  # noqa: ARG002
        """Evaluate all signals, move the tier and return it. Anyone may call it."""
        p = self._timing()
        now = self._context.now
        target, cause, value = self.signal()
        self._renew_references(p)

        s = self._state.value
        new_tier = s.tier
        if s.tier != HALT and target == HALT and self._is_resting(s, p):
            target = HALT - 1
        if s.tier == HALT and now >= s.halted_at + p.max_halt:
            new_tier = HALT - 1
            cause, value = Cause.HALT_EXPIRED, 0
        elif target > s.tier:
            new_tier = target
        elif target < s.tier and now >= s.since + p.min_dwell:
            new_tier = s.tier - 1
            cause, value = Cause.CALM, 0
        if new_tier != s.tier:
            self._set_tier(s, new_tier, cause, value)
        return new_tier

    @external
    def raise_(self, sender: Address, tier: int, duration: int) -> None:
        """Raise the tier for ``duration`` seconds, or for as long as an earlier order lasts.

        Raises:
            RoleRegistry_MissingRole: the sender is not a guardian.
            CircuitBreaker_OutOfBounds: tier or duration is not allowed.
            CircuitBreaker_Resting: a halt too soon after the last one.
        """
        self._parts.roles.require_role(roles.GUARDIAN, sender)
        p = self._timing()
        s = self._state.value
        if tier <= s.tier or tier > HALT:
            raise CircuitBreaker_OutOfBounds("tier", tier, s.tier + 1, HALT)
        if tier == HALT and self._is_resting(s, p):
            raise CircuitBreaker_Resting(s.halted_at + 2 * p.max_halt)
        if duration == 0 or duration > p.max_halt:
            raise CircuitBreaker_OutOfBounds("duration", duration, 1, p.max_halt)
        until = max(checked_uint(self._context.now + duration, 40), s.guardian_until)
        s = replace(s, guardian_tier=tier, guardian_until=until)
        self._emit("GuardianRaised", guardian=sender, tier=tier, until=until)
        self._set_tier(s, tier, Cause.GUARDIAN, 0)

    def record_liquidation(self, sender: Address, notional: int) -> None:
        """Add liquidated notional to its bucket.

        Raises:
            CircuitBreaker_NotLiquidationEngine: the sender is another.
        """
        self._only_liquidation_engine(sender)
        level = self._fill(self._liquidations, notional)
        self._emit("LiquidationVolumeRecorded", notional=notional, level=level)

    def record_bad_debt(self, sender: Address, amount: int) -> None:
        """Add written-off debt to its bucket.

        Raises:
            CircuitBreaker_NotLiquidationEngine: the sender is another.
        """
        self._only_liquidation_engine(sender)
        level = self._fill(self._bad_debt, amount)
        self._emit("BadDebtRecorded", amount=amount, level=level)

    # ---------------------------------------------------------------------------------- views

    def require_allowed(self, action: Action) -> None:
        """Check the current tier.

        Raises:
            CircuitBreaker_Blocked: it does not allow the action.
        """
        current = self.tier()
        highest = max_tier(action)
        if current > highest:
            raise CircuitBreaker_Blocked(action, current, highest)

    def is_allowed(self, action: Action) -> bool:
        """Return whether the current tier allows an action."""
        return self.tier() <= max_tier(action)

    def breaker_state(self) -> BreakerState:
        """Return the tier and since when."""
        return self._state.value

    def price_reference(self, asset: str) -> Reference:
        """Return what moves of an asset's price are measured against."""
        return self._references.get(asset, _NO_REFERENCE)

    def tier(self) -> int:
        """Return the current tier; an expired halt counts as tier 3 before anyone pokes."""
        s = self._state.value
        if s.tier == HALT and self._context.now >= s.halted_at + self._timing().max_halt:
            return HALT - 1
        return s.tier

    def signal(self) -> Signal:
        """Return the strongest signal right now."""
        feeds = self._parts.feeds
        thresholds, prices, pegs = self._parts.risk_parameters.breaker_thresholds()
        window = self._timing().volume_window
        strongest = Signal(0, Cause.CALM, 0)
        for asset in prices:
            data = feeds.latest(asset)
            if data.status == PriceStatus.STALE:
                strongest = _stronger(strongest, Signal(3, Cause.PRICE_STALE, 0))
                continue
            if data.status == PriceStatus.UNCONFIRMED:
                continue
            move = self._move(asset, data.price)
            grade = _grade(move, thresholds.price_move)
            strongest = _stronger(strongest, Signal(grade, Cause.PRICE_MOVE, move))
        for asset in pegs:
            discount = feeds.peg(asset).discount
            grade = _grade(discount, thresholds.discount)
            strongest = _stronger(strongest, Signal(grade, Cause.PEG_DISCOUNT, discount))
        volume = self._level(self._liquidations.value, window)
        grade = _grade(volume, thresholds.liquidation_volume)
        strongest = _stronger(strongest, Signal(grade, Cause.LIQUIDATION_VOLUME, volume))
        lost = self._level(self._bad_debt.value, window)
        grade = _grade(lost, thresholds.bad_debt)
        strongest = _stronger(strongest, Signal(grade, Cause.BAD_DEBT, lost))
        s = self._state.value
        if self._context.now < s.guardian_until:
            strongest = _stronger(strongest, Signal(s.guardian_tier, Cause.GUARDIAN, 0))
        return strongest

    # ------------------------------------------------------------------------------- internal

    def _timing(self) -> BreakerTiming:
        return self._parts.risk_parameters.breaker_timing()

    def _only_liquidation_engine(self, sender: Address) -> None:
        if sender != self._parts.addresses.liquidation_engine:
            raise CircuitBreaker_NotLiquidationEngine(sender)

    def _set_tier(self, s: BreakerState, to: int, cause: Cause, value: int) -> None:
        self._emit("TierChanged", **{"from": s.tier, "to": to, "cause": cause, "value": value})
        now = self._context.now
        halted_at = now if to == HALT else s.halted_at
        self._state.set(replace(s, tier=to, since=now, halted_at=halted_at))

    def _is_resting(self, s: BreakerState, p: BreakerTiming) -> bool:
        return s.halted_at != 0 and self._context.now < s.halted_at + 2 * p.max_halt

    def _renew_references(self, p: BreakerTiming) -> None:
        now = self._context.now
        for asset in self._parts.risk_parameters.breaker_thresholds()[1]:
            reference = self._references.get(asset)
            if reference is not None and now < reference.taken_at + p.velocity_window:
                continue
            data = self._parts.feeds.latest(asset)
            if data.status >= PriceStatus.DEGRADED:
                old = reference or _NO_REFERENCE
                self._references[asset] = Reference(data.price, now, old.price, old.taken_at)

    def _move(self, asset: str, price: int) -> int:
        """Return the largest move against the references that are not older than two windows."""
        r = self._references.get(asset, _NO_REFERENCE)
        oldest = self._context.now - 2 * self._timing().velocity_window
        known = ((r.price, r.taken_at), (r.previous_price, r.previous_taken_at))
        return max(
            (mul_div_down(abs(price - p), WAD, p) for p, taken_at in known if taken_at >= oldest),
            default=0,
        )

    def _fill(self, bucket: Cell[Bucket], amount: int) -> int:
        level = checked_uint(self._level(bucket.value, self._timing().volume_window) + amount)
        bucket.set(Bucket(to_uint(level, 128), self._context.now))
        return level

    def _level(self, bucket: Bucket, window: int) -> int:
        elapsed = self._context.now - bucket.updated_at
        return 0 if elapsed >= window else mul_div_up(bucket.level, window - elapsed, window)


def _stronger(first: Signal, second: Signal) -> Signal:
    return second if second.target > first.target else first


def _grade(value: int, thresholds: Thresholds) -> int:
    # Thresholds rise strictly, so the count of those that are met is the tier.
    return sum(value >= threshold for threshold in thresholds)
