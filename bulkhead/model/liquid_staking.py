"""Twin of ``LiquidStakingToken``: shares, rate, rewards, slashing, withdrawal queue.

Amounts are raw units of 18 decimals, times Unix seconds. Authority, allowances and the underlying's
balances are not modelled; share balances are, by the holder's name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD, mul_div_down, mul_div_up, mul_down, to_uint

MINIMUM_SHARES = 10**6
MAX_REWARD_RATIO = 10**16
NOBODY = "nobody"
ESCROW = "escrow"


class LiquidStakingToken_DepositTooSmall(ModelRevert):  # noqa: N801
    """``(assets)``: the deposit would mint no shares."""


class LiquidStakingToken_WithdrawalTooSmall(ModelRevert):  # noqa: N801
    """``(shares)``: nothing would be redeemed."""


class LiquidStakingToken_WipedOut(ModelRevert):  # noqa: N801
    """Everything was slashed."""


class LiquidStakingToken_RewardTooLarge(ModelRevert):  # noqa: N801
    """``(assets, maximum)``."""


class LiquidStakingToken_SlashTooLarge(ModelRevert):  # noqa: N801
    """``(assets, pooled)``."""


class LiquidStakingToken_UnknownRequest(ModelRevert):  # noqa: N801
    """``(id)``: never made, or already claimed."""


class LiquidStakingToken_NotClaimable(ModelRevert):  # noqa: N801
    """``(id, timestamp, claimableAt)``: its turn has not come."""


class ERC20InsufficientBalance(ModelRevert):
    """``(sender, balance, needed)``."""


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """A redemption in the queue."""

    shares: int
    assets: int
    receiver: str
    claimable_at: int


@dataclass(slots=True)
class LiquidStakingToken:
    """Twin of the contract."""

    capacity_per_day: int
    min_delay_seconds: int
    total_pooled: int = 0
    total_supply: int = 0
    busy_until: int = 0
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _last_id: int = 0
    _requests: dict[int, WithdrawalRequest] = field(default_factory=dict)

    def deposit(self, assets: int, receiver: str) -> int:
        """Mint shares at the rate, rounded down.

        Raises:
            LiquidStakingToken_DepositTooSmall: no shares would be minted.
            LiquidStakingToken_WipedOut: everything was slashed.
        """
        first = self.total_supply == 0
        shares = self.preview_deposit(assets)
        if shares == 0:
            raise LiquidStakingToken_DepositTooSmall(assets)
        self.total_pooled += assets
        if first:
            self._mint(NOBODY, MINIMUM_SHARES)
        self._mint(receiver, shares)
        return shares

    def request_withdrawal(self, owner: str, shares: int, receiver: str, now: int) -> int:
        """Move shares into escrow and queue them.

        Raises:
            LiquidStakingToken_WithdrawalTooSmall: nothing would be redeemed.
            ERC20InsufficientBalance: the owner has fewer shares.
        """
        assets = self.convert_to_assets(shares)
        if assets == 0:
            raise LiquidStakingToken_WithdrawalTooSmall(shares)
        turn_end = self._turn_end(assets, now)
        claimable_at = turn_end + self.min_delay_seconds
        request = WithdrawalRequest(
            to_uint(shares, 128), to_uint(assets, 128), receiver, to_uint(claimable_at, 40)
        )
        if self.balances[owner] < shares:
            raise ERC20InsufficientBalance(owner, self.balances[owner], shares)
        self.busy_until = turn_end
        self.balances[owner] -= shares
        self.balances[ESCROW] += shares
        self._last_id += 1
        self._requests[self._last_id] = request
        return self._last_id

    def claim(self, request_id: int, now: int) -> int:
        """Burn a request's shares and return what it pays.

        Raises:
            LiquidStakingToken_UnknownRequest: never made, or already claimed.
            LiquidStakingToken_NotClaimable: its turn has not come.
        """
        request = self._requests.get(request_id)
        if request is None:
            raise LiquidStakingToken_UnknownRequest(request_id)
        if now < request.claimable_at:
            raise LiquidStakingToken_NotClaimable(request_id, now, request.claimable_at)
        assets = min(request.assets, self.convert_to_assets(request.shares))
        del self._requests[request_id]
        self.total_pooled -= assets
        self.balances[ESCROW] -= request.shares
        self.total_supply -= request.shares
        return assets

    def report_rewards(self, assets: int) -> None:
        """Raise the rate.

        Raises:
            LiquidStakingToken_RewardTooLarge: above the cap of one report.
        """
        maximum = mul_down(self.total_pooled, MAX_REWARD_RATIO)
        if assets > maximum:
            raise LiquidStakingToken_RewardTooLarge(assets, maximum)
        self.total_pooled += assets

    def slash(self, assets: int) -> None:
        """Lower the rate.

        Raises:
            LiquidStakingToken_SlashTooLarge: more than is pooled.
        """
        if assets > self.total_pooled:
            raise LiquidStakingToken_SlashTooLarge(assets, self.total_pooled)
        self.total_pooled -= assets

    def rate(self) -> int:
        """Return WAD underlying per 1.0 token, rounded down."""
        if self.total_supply == 0:
            return WAD
        return mul_div_down(self.total_pooled, WAD, self.total_supply)

    def preview_deposit(self, assets: int) -> int:
        """Return the shares that ``deposit`` would mint.

        Raises:
            LiquidStakingToken_WipedOut: everything was slashed.
        """
        if self.total_supply == 0:
            return max(0, assets - MINIMUM_SHARES)
        if self.total_pooled == 0:
            raise LiquidStakingToken_WipedOut()
        return mul_div_down(assets, self.total_supply, self.total_pooled)

    def convert_to_assets(self, shares: int) -> int:
        """Return what shares are worth at the rate, rounded down."""
        if self.total_supply == 0:
            return shares
        return mul_div_down(shares, self.total_pooled, self.total_supply)

    def queue_delay(self, assets: int, now: int) -> int:
        """Return the seconds until a redemption requested now could be claimed."""
        return self._turn_end(assets, now) + self.min_delay_seconds - now

    def withdrawal_request(self, request_id: int) -> WithdrawalRequest | None:
        """Return a request, or None if unknown or claimed."""
        return self._requests.get(request_id)

    def _turn_end(self, assets: int, now: int) -> int:
        return max(self.busy_until, now) + mul_div_up(assets, DAY, self.capacity_per_day)

    def _mint(self, account: str, shares: int) -> None:
        self.balances[account] += shares
        self.total_supply += shares
