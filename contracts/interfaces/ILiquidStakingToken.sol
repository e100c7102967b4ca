// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRateSource} from "./IRateSource.sol";
import {IRedemptionQueue} from "./IRedemptionQueue.sol";

/// @title Liquid staking token
/// @notice A share of pooled, staked underlying. Balances never rebase: rewards raise the rate, slashing lowers
/// it at once. Redemption goes through a queue of finite capacity, and that is what lets a market price fall
/// below the rate.
/// @dev All amounts are in the raw units of the underlying and of the shares, both 18 decimals. Only deposits,
/// rewards, slashing and claims move the pooled amount: tokens sent to the contract change nothing.
interface ILiquidStakingToken is IERC20, IRateSource, IRedemptionQueue {
    /// @notice A redemption in the queue; two slots. Its shares are in escrow and still bear losses.
    /// @param shares Escrowed shares.
    /// @param assets Underlying they were worth at request, raw: the most that the claim pays.
    /// @param receiver Is paid, whoever claims.
    /// @param claimableAt Unix seconds.
    struct WithdrawalRequest {
        uint128 shares;
        uint128 assets;
        address receiver;
        uint40 claimableAt;
    }

    event Deposited(
        address indexed sender, address indexed receiver, uint256 assets, uint256 shares
    );
    event WithdrawalRequested(
        uint256 indexed id,
        address indexed owner,
        address indexed receiver,
        uint256 shares,
        uint256 assets,
        uint256 claimableAt
    );
    event WithdrawalClaimed(
        uint256 indexed id, address indexed receiver, uint256 shares, uint256 assets
    );
    event RewardsReported(uint256 assets, uint256 rate);
    event Slashed(address indexed recipient, uint256 assets, uint256 rate);

    /// @notice Thrown when the underlying does not have 18 decimals, as the rate assumes.
    error LiquidStakingToken_UnsupportedDecimals(uint256 decimals, uint256 required);
    /// @notice Thrown when the queue is given no capacity.
    error LiquidStakingToken_ZeroCapacity();
    /// @notice Thrown when a receiver or recipient is the zero address or this contract.
    error LiquidStakingToken_InvalidReceiver(address receiver);
    /// @notice Thrown when a deposit would mint no shares.
    error LiquidStakingToken_DepositTooSmall(uint256 assets);
    /// @notice Thrown when a request is for no shares, or for shares worth nothing.
    error LiquidStakingToken_WithdrawalTooSmall(uint256 shares);
    /// @notice Thrown on a deposit after everything was slashed: no number of shares would be fair.
    error LiquidStakingToken_WipedOut();
    /// @notice Thrown when a report exceeds the cap, `MAX_REWARD_RATIO` of the pooled amount.
    error LiquidStakingToken_RewardTooLarge(uint256 assets, uint256 maximum);
    /// @notice Thrown when more is slashed than is pooled.
    error LiquidStakingToken_SlashTooLarge(uint256 assets, uint256 pooled);
    /// @notice Thrown when a request does not exist or was already claimed.
    error LiquidStakingToken_UnknownRequest(uint256 id);
    /// @notice Thrown when a request is claimed before its turn.
    error LiquidStakingToken_NotClaimable(uint256 id, uint256 timestamp, uint256 claimableAt);

    /// @notice Pulls `assets` of the underlying from the caller and mints shares at the rate, rounded down. The
    /// first deposit pays for `MINIMUM_SHARES`, which nobody owns.
    function deposit(uint256 assets, address receiver) external returns (uint256 shares);

    /// @notice Moves the caller's shares into escrow and puts them in the queue. The claim will pay what they are
    /// worth now, or at the claim if that is less: rewards of the waiting time stay with the holders, slashing
    /// is shared.
    /// @return id Number of the request, from 1.
    function requestWithdrawal(uint256 shares, address receiver) external returns (uint256 id);

    /// @notice Burns the shares of a request whose turn has come, and pays its receiver. Anyone may call it.
    /// @return assets Underlying paid: the lesser of the request's assets and its shares at the rate, rounded down.
    function claim(uint256 id) external returns (uint256 assets);

    /// @notice Pulls rewards from the caller and raises the rate. Only `OPERATOR`.
    /// @param assets At most `MAX_REWARD_RATIO` of the pooled amount, against slips of the decimal point.
    function reportRewards(uint256 assets) external;

    /// @notice Takes `assets` out of the pool, lowers the rate and sends them to `recipient`. Only `OPERATOR`.
    function slash(uint256 assets, address recipient) external;

    /// @notice Shares that `deposit` would mint.
    function previewDeposit(uint256 assets) external view returns (uint256 shares);

    /// @notice What shares are worth at the rate, rounded down, before the queue.
    function convertToAssets(uint256 shares) external view returns (uint256 assets);

    /// @notice A request; empty if unknown or claimed.
    function withdrawalRequest(uint256 id) external view returns (WithdrawalRequest memory request);

    /// @return The staked token.
    function underlying() external view returns (IERC20);

    /// @return Underlying that belongs to all shares, raw.
    function totalPooled() external view returns (uint256);

    /// @return Unix seconds until which the queue's capacity is taken.
    function busyUntil() external view returns (uint256);
}
