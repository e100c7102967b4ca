"""What stakers and the operator of the liquid staking token do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, Actor, Bps
from bulkhead.fuzz.suite.token_operations import Who
from bulkhead.model.liquid_staking import MAX_REWARD_RATIO
from bulkhead.model.math import mul_down
from bulkhead.model.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

Receiver = Annotated[int, Index(16)]
"""15: nobody; 14: the token itself; 12, 13: another actor; else the sender."""
_WETH, _LST = 3, 1
_INVALID = frozenset({"LiquidStakingToken_InvalidReceiver"})


@dataclass(frozen=True, slots=True)
class Stake(Operation):
    """Stake a share of a hundredth of one's ether."""

    weight = 1
    refusals = (
        may.TOKEN | _INVALID | {"LiquidStakingToken_DepositTooSmall", "LiquidStakingToken_WipedOut"}
    )

    actor: Actor
    receiver: Receiver
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[self.actor]
        amount = part(u.wallet(sender, _WETH) // 100, self.share)
        receiver = _receiver(u, self.actor, self.receiver)
        return Step((Call(sender, "LST", "deposit", (amount, receiver)),))


@dataclass(frozen=True, slots=True)
class RequestWithdrawal(Operation):
    """Put a share of a hundredth of one's staked ether into the queue; at times all and more."""

    weight = 1
    refusals = _INVALID | {"ERC20InsufficientBalance", "LiquidStakingToken_WithdrawalTooSmall"}

    actor: Actor
    receiver: Receiver
    whole: Annotated[int, Index(8)]
    """7: a share of all."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[self.actor]
        wallet = u.wallet(sender, _LST)
        amount = part(wallet if self.whole == 7 else wallet // 1_000, self.share)
        receiver = _receiver(u, self.actor, self.receiver)
        return Step((Call(sender, "LST", "requestWithdrawal", (amount, receiver)),))


@dataclass(frozen=True, slots=True)
class Claim(Operation):
    """Claim a redemption, ripe or not, or one that was never asked for."""

    weight = 2
    refusals = frozenset({"LiquidStakingToken_UnknownRequest", "LiquidStakingToken_NotClaimable"})

    actor: Actor
    which: Annotated[int, Index(16)]
    """15: none that there is."""
    waiting: Annotated[int, Index(4)]
    """0 to 2: wait until its turn."""

    def resolve(self, u: Questions) -> Step | None:
        requests = u.model.lst.requests()
        if self.which == 15 or not requests:
            if self.which < 15:
                return None
            return Step((Call(u.actors[self.actor], "LST", "claim", (10**6,)),))
        number = sorted(requests)[self.which % len(requests)]
        call = Call(u.actors[self.actor], "LST", "claim", (number,))
        left = requests[number].claimable_at - u.now
        return Step((call,), left) if self.waiting < 3 and left > 0 else Step((call,))


@dataclass(frozen=True, slots=True)
class ReportRewards(Operation):
    """The operator reports rewards, up to the cap and a bit more."""

    weight = 1
    refusals = may.NOT_YOURS | may.TOKEN | {"LiquidStakingToken_RewardTooLarge"}

    who: Who
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 15 else u.governor
        most = mul_down(u.model.lst.total_pooled, MAX_REWARD_RATIO)
        return Step((Call(sender, "LST", "reportRewards", (part(most, self.share),)),))


@dataclass(frozen=True, slots=True)
class Slash(Operation):
    """The operator slashes up to a twentieth; rarely everything and a bit more."""

    weight = 1
    refusals = may.NOT_YOURS | _INVALID | {"LiquidStakingToken_SlashTooLarge"}

    who: Who
    receiver: Receiver
    whole: Annotated[int, Index(16)]
    """15: a share of all."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 15 else u.governor
        pooled = u.model.lst.total_pooled
        amount = part(pooled if self.whole == 15 else pooled // 20, self.share)
        return Step((Call(sender, "LST", "slash", (amount, _receiver(u, 0, self.receiver))),))


def _receiver(u: Questions, actor: int, value: int) -> Address:
    others = {15: ZERO_ADDRESS, 14: u.model.lst.address}
    shift = 1 if value in (12, 13) else 0
    return others.get(value, u.actors[(actor + shift) % ACTORS])
