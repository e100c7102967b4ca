"""Twin of ``LiquidStakingToken``: shares, rate, rewards, slashing, withdrawal queue.

Amounts are raw units of 18 decimals, times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model.context import Cell, Context, Table, external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD, checked_uint, mul_div_down, mul_div_up, mul_down, to_uint
from bulkhead.model.roles import RoleRegistry
from bulkhead.model.tokens import ERC20
from bulkhead.model.types import ZERO_ADDRESS, Address

OPERATOR = "LST_OPERATOR"
MINIMUM_SHARES = 10**6
MAX_REWARD_RATIO = 10**16
NOBODY: Address = "0x000000000000000000000000000000000000dead"
DECIMALS = 18


class LiquidStakingToken_InvalidReceiver(ModelRevert):  # noqa: N801
    """``(receiver)``: nobody, or the token itself."""


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


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """A redemption in the queue."""

    shares: int
    assets: int
    receiver: Address
    claimable_at: int


class LiquidStakingToken(ERC20):
    """Twin of the contract.

    Args:
        context, address: as of every twin.
        underlying: the token that is staked.
        roles: knows the operator.
        capacity_per_day: underlying that the queue redeems per day.
        min_delay_seconds: that any redemption takes beyond its turn.
    """

    def __init__(
        self,
        context: Context,
        address: Address,
        underlying: ERC20,
        roles: RoleRegistry,
        capacity_per_day: int,
        min_delay_seconds: int,
    ) -> None:
        super().__init__(context, address, DECIMALS)
        self.underlying = underlying
        self.capacity_per_day = capacity_per_day
        self.min_delay_seconds = min_delay_seconds
        self._roles = roles
        self._total_pooled = Cell(context, 0)
        self._busy_until = Cell(context, 0)
        self._last_id = Cell(context, 0)
        self._requests: Table[int, WithdrawalRequest] = Table(context)

    # ------------------------------------------------------------------------- state-changing

    @external
    def deposit(self, sender: Address, assets: int, receiver: Address) -> int:
        """Pull underlying and mint shares at the rate, rounded down; return the shares.

        Raises:
            LiquidStakingToken_InvalidReceiver: to nobody, or to the token itself.
            LiquidStakingToken_DepositTooSmall: no shares would be minted.
            LiquidStakingToken_WipedOut: everything was slashed.
            ERC20InsufficientAllowance, ERC20InsufficientBalance: the underlying refuses.
        """
        self._require_receiver(receiver)
        first = self.total_supply == 0
        shares = self.preview_deposit(assets)
        if shares == 0:
            raise LiquidStakingToken_DepositTooSmall(assets)
        self._total_pooled.set(checked_uint(self.total_pooled + assets))
        if first:
            self._mint(NOBODY, MINIMUM_SHARES)
        self._mint(receiver, shares)
        self._emit("Deposited", sender=sender, receiver=receiver, assets=assets, shares=shares)
        self.underlying.transfer_from(self.address, sender, self.address, assets)
        return shares

    @external
    def request_withdrawal(self, sender: Address, shares: int, receiver: Address) -> int:
        """Move shares into escrow and queue them; return the request's number.

        Raises:
            LiquidStakingToken_InvalidReceiver: to nobody, or to the token itself.
            LiquidStakingToken_WithdrawalTooSmall: nothing would be redeemed.
            ERC20InsufficientBalance: the sender has fewer shares.
        """
        self._require_receiver(receiver)
        assets = self.convert_to_assets(shares)
        if assets == 0:
            raise LiquidStakingToken_WithdrawalTooSmall(shares)
        turn_end = self._turn_end(assets)
        claimable_at = checked_uint(turn_end + self.min_delay_seconds)
        number = self._last_id.value + 1
        self._busy_until.set(turn_end)
        self._last_id.set(number)
        self._requests[number] = WithdrawalRequest(
            to_uint(shares, 128), to_uint(assets, 128), receiver, to_uint(claimable_at, 40)
        )
        self._transfer(sender, self.address, shares)
        self._emit(
            "WithdrawalRequested",
            id=number,
            owner=sender,
            receiver=receiver,
            shares=shares,
            assets=assets,
            claimableAt=claimable_at,
        )
        return number

    @external
    def claim(self, sender: Address, request_id: int) -> int:  # noqa: ARG002
        """Burn a request's shares and pay its receiver; return what is paid.

        Raises:
            LiquidStakingToken_UnknownRequest: never made, or already claimed.
            LiquidStakingToken_NotClaimable: its turn has not come.
        """
        request = self._requests.get(request_id)
        if request is None:
            raise LiquidStakingToken_UnknownRequest(request_id)
        now = self._context.now
        if now < request.claimable_at:
            raise LiquidStakingToken_NotClaimable(request_id, now, request.claimable_at)
        assets = min(request.assets, self.convert_to_assets(request.shares))
        del self._requests[request_id]
        self._total_pooled.set(checked_uint(self.total_pooled - assets))
        self._burn(self.address, request.shares)
        self._emit(
            "WithdrawalClaimed",
            id=request_id,
            receiver=request.receiver,
            shares=request.shares,
            assets=assets,
        )
        self.underlying.transfer(self.address, request.receiver, assets)
        return assets

    @external
    def report_rewards(self, sender: Address, assets: int) -> None:
        """Pull rewards and raise the rate.

        Raises:
            RoleRegistry_MissingRole: the sender is not the operator.
            LiquidStakingToken_RewardTooLarge: above the cap of one report.
            ERC20InsufficientAllowance, ERC20InsufficientBalance: the underlying refuses.
        """
        self._roles.require_role(OPERATOR, sender)
        maximum = mul_down(self.total_pooled, MAX_REWARD_RATIO)
        if assets > maximum:
            raise LiquidStakingToken_RewardTooLarge(assets, maximum)
        self._total_pooled.set(checked_uint(self.total_pooled + assets))
        self._emit("RewardsReported", assets=assets, rate=self.rate())
        self.underlying.transfer_from(self.address, sender, self.address, assets)

    @external
    def slash(self, sender: Address, assets: int, recipient: Address) -> None:
        """Lower the rate and send away what that takes.

        Raises:
            RoleRegistry_MissingRole: the sender is not the operator.
            LiquidStakingToken_InvalidReceiver: to nobody, or to the token itself.
            LiquidStakingToken_SlashTooLarge: more than is pooled.
        """
        self._roles.require_role(OPERATOR, sender)
        self._require_receiver(recipient)
        if assets > self.total_pooled:
            raise LiquidStakingToken_SlashTooLarge(assets, self.total_pooled)
        self._total_pooled.set(self.total_pooled - assets)
        self._emit("Slashed", recipient=recipient, assets=assets, rate=self.rate())
        self.underlying.transfer(self.address, recipient, assets)

    # ---------------------------------------------------------------------------------- views

    @property
    def total_pooled(self) -> int:
        """Underlying that belongs to all shares."""
        return self._total_pooled.value

    @property
    def busy_until(self) -> int:
        """Unix seconds until which the queue's capacity is taken."""
        return self._busy_until.value

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

    def queue_delay(self, assets: int) -> int:
        """Return the seconds until a redemption requested now could be claimed."""
        return self._turn_end(assets) + self.min_delay_seconds - self._context.now

    def withdrawal_request(self, request_id: int) -> WithdrawalRequest | None:
        """Return a request, or None if unknown or claimed."""
        return self._requests.get(request_id)

    def requests(self) -> dict[int, WithdrawalRequest]:
        """Return the redemptions in the queue by their numbers; not a view of the contract."""
        return dict(self._requests)

    def restore(self, total_pooled: int, total_supply: int, busy_until: int, last_id: int) -> None:
        """Set the state to that of a deployment; balances are set apart, no request is open."""
        self._total_pooled.set(total_pooled)
        self._supply.set(total_supply)
        self._busy_until.set(busy_until)
        self._last_id.set(last_id)

    # ------------------------------------------------------------------------------- internal

    def _turn_end(self, assets: int) -> int:
        begin = max(self.busy_until, self._context.now)
        return checked_uint(begin + mul_div_up(assets, DAY, self.capacity_per_day))

    def _require_receiver(self, receiver: Address) -> None:
        if receiver in (ZERO_ADDRESS, self.address):
            raise LiquidStakingToken_InvalidReceiver(receiver)
