// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {ILiquidStakingToken} from "../interfaces/ILiquidStakingToken.sol";
import {IRateSource} from "../interfaces/IRateSource.sol";
import {IRedemptionQueue} from "../interfaces/IRedemptionQueue.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title Liquid staking token
contract LiquidStakingToken is ILiquidStakingToken, ERC20, ReentrancyGuardTransient {
    using SafeCastLib for uint256;
    using SafeERC20 for IERC20;

    /// @notice May report rewards and slashing, nothing else: it can lower the rate, never take shares.
    bytes32 public constant OPERATOR = keccak256("LST_OPERATOR");
    /// @notice Shares of the first deposit that nobody owns. With them in the supply, moving the rate by rounding
    /// costs a million times what it takes from others.
    uint256 public constant MINIMUM_SHARES = 1e6;
    /// @notice WAD fraction of the pooled amount that one report may add.
    uint256 public constant MAX_REWARD_RATIO = 0.01e18;

    address private constant NOBODY = address(0xdead);
    uint256 private constant DECIMALS = 18;

    IRoleRegistry public immutable roles;
    /// @inheritdoc ILiquidStakingToken
    IERC20 public immutable underlying;
    /// @notice Underlying that the queue redeems per day, raw.
    uint256 public immutable capacityPerDay;
    /// @notice Seconds that any redemption takes beyond its turn.
    uint256 public immutable minDelaySeconds;

    /// @inheritdoc ILiquidStakingToken
    uint256 public totalPooled;
    /// @inheritdoc ILiquidStakingToken
    uint256 public busyUntil;

    uint256 private _lastId;
    mapping(uint256 id => WithdrawalRequest) private _requests;

    /// @param roles_ Knows the operator.
    /// @param underlying_ Staked token, 18 decimals, without transfer fees.
    /// @param capacityPerDay_ Underlying that the queue redeems per day, raw, > 0.
    /// @param minDelaySeconds_ Seconds that any redemption takes beyond its turn.
    constructor(
        IRoleRegistry roles_,
        IERC20 underlying_,
        string memory name_,
        string memory symbol_,
        uint256 capacityPerDay_,
        uint256 minDelaySeconds_
    ) ERC20(name_, symbol_) {
        uint256 decimals_ = IERC20Metadata(address(underlying_)).decimals();
        if (decimals_ != DECIMALS) {
            revert LiquidStakingToken_UnsupportedDecimals(decimals_, DECIMALS);
        }
        if (capacityPerDay_ == 0) revert LiquidStakingToken_ZeroCapacity();
        roles = roles_;
        underlying = underlying_;
        capacityPerDay = capacityPerDay_;
        minDelaySeconds = minDelaySeconds_;
    }

    /// @inheritdoc ILiquidStakingToken
    function deposit(uint256 assets, address receiver)
        external
        nonReentrant
        returns (uint256 shares)
    {
        _requireReceiver(receiver);
        bool isFirst = totalSupply() == 0;
        shares = previewDeposit(assets);
        if (shares == 0) revert LiquidStakingToken_DepositTooSmall(assets);

        totalPooled += assets;
        if (isFirst) _mint(NOBODY, MINIMUM_SHARES);
        _mint(receiver, shares);
        emit Deposited(msg.sender, receiver, assets, shares);
        underlying.safeTransferFrom(msg.sender, address(this), assets);
    }

    /// @inheritdoc ILiquidStakingToken
    function requestWithdrawal(uint256 shares, address receiver)
        external
        nonReentrant
        returns (uint256 id)
    {
        _requireReceiver(receiver);
        uint256 assets = convertToAssets(shares);
        if (assets == 0) revert LiquidStakingToken_WithdrawalTooSmall(shares);

        busyUntil = _turnEnd(assets);
        uint256 claimableAt = busyUntil + minDelaySeconds;
        id = ++_lastId;
        _requests[id] = WithdrawalRequest({
            shares: shares.toUint128(),
            assets: assets.toUint128(),
            receiver: receiver,
            claimableAt: claimableAt.toUint40()
        });
        _transfer(msg.sender, address(this), shares);
        emit WithdrawalRequested(id, msg.sender, receiver, shares, assets, claimableAt);
    }

    /// @inheritdoc ILiquidStakingToken
    function claim(uint256 id) external nonReentrant returns (uint256 assets) {
        WithdrawalRequest memory request = _requests[id];
        if (request.receiver == address(0)) revert LiquidStakingToken_UnknownRequest(id);
        if (block.timestamp < request.claimableAt) {
            revert LiquidStakingToken_NotClaimable(id, block.timestamp, request.claimableAt);
        }

        assets = WadMath.min(request.assets, convertToAssets(request.shares));
        delete _requests[id];
        totalPooled -= assets;
        _burn(address(this), request.shares);
        emit WithdrawalClaimed(id, request.receiver, request.shares, assets);
        underlying.safeTransfer(request.receiver, assets);
    }

    /// @inheritdoc ILiquidStakingToken
    function reportRewards(uint256 assets) external nonReentrant {
        roles.requireRole(OPERATOR, msg.sender);
        uint256 pooled = totalPooled;
        uint256 maximum = WadMath.mulDown(pooled, MAX_REWARD_RATIO);
        if (assets > maximum) revert LiquidStakingToken_RewardTooLarge(assets, maximum);

        totalPooled = pooled + assets;
        emit RewardsReported(assets, rate());
        underlying.safeTransferFrom(msg.sender, address(this), assets);
    }

    /// @inheritdoc ILiquidStakingToken
    function slash(uint256 assets, address recipient) external nonReentrant {
        roles.requireRole(OPERATOR, msg.sender);
        _requireReceiver(recipient);
        uint256 pooled = totalPooled;
        if (assets > pooled) revert LiquidStakingToken_SlashTooLarge(assets, pooled);

        totalPooled = pooled - assets;
        emit Slashed(recipient, assets, rate());
        underlying.safeTransfer(recipient, assets);
    }

    /// @inheritdoc IRateSource
    function rate() public view returns (uint256) {
        uint256 supply = totalSupply();
        return supply == 0 ? WadMath.WAD : WadMath.mulDivDown(totalPooled, WadMath.WAD, supply);
    }

    /// @inheritdoc ILiquidStakingToken
    function previewDeposit(uint256 assets) public view returns (uint256) {
        uint256 supply = totalSupply();
        if (supply == 0) return assets > MINIMUM_SHARES ? assets - MINIMUM_SHARES : 0;
        uint256 pooled = totalPooled;
        if (pooled == 0) revert LiquidStakingToken_WipedOut();
        return WadMath.mulDivDown(assets, supply, pooled);
    }

    /// @inheritdoc ILiquidStakingToken
    function convertToAssets(uint256 shares) public view returns (uint256) {
        uint256 supply = totalSupply();
        return supply == 0 ? shares : WadMath.mulDivDown(shares, totalPooled, supply);
    }

    /// @inheritdoc IRedemptionQueue
    function queueDelay(uint256 assets) external view returns (uint256) {
        return _turnEnd(assets) + minDelaySeconds - block.timestamp;
    }

    /// @inheritdoc ILiquidStakingToken
    function withdrawalRequest(uint256 id) external view returns (WithdrawalRequest memory) {
        return _requests[id];
    }

    /// @dev Unix seconds at which the queue would have worked through `assets` more; rounded up, so that the
    /// queue never redeems more than its capacity.
    function _turnEnd(uint256 assets) private view returns (uint256) {
        return
            WadMath.max(busyUntil, block.timestamp)
                + WadMath.mulDivUp(assets, 1 days, capacityPerDay);
    }

    function _requireReceiver(address receiver) private view {
        if (receiver == address(0) || receiver == address(this)) {
            revert LiquidStakingToken_InvalidReceiver(receiver);
        }
    }
}
