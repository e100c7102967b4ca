// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IExchangeRateAdapter} from "../../interfaces/IExchangeRateAdapter.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";
import {IRateSource} from "../../interfaces/IRateSource.sol";
import {IStEthPerToken} from "../../interfaces/IStEthPerToken.sol";
import {WadMath} from "../../libraries/WadMath.sol";

/// @title The redemption rate of a share as a price source, which can rise only so fast
contract ExchangeRateAdapter is IExchangeRateAdapter {
    /// @dev One slot, written as a whole and in one place.
    struct Point {
        uint208 ratio;
        uint48 recordedAt;
    }

    uint256 private constant WAD_DECIMALS = 18;
    uint256 private constant MAX_SHARE_DECIMALS = 36;
    /// @dev The aggregator's largest price. A line from there stays below 2^160 for as long as 48 bits count seconds.
    uint256 private constant MAX_FIRST_RATE = uint256(uint128(type(int128).max));
    /// @dev WAD fraction of the first rate: what grows by more than one percent per day is no redemption rate.
    uint256 private constant MAX_GROWTH_RATIO = 0.01e18;

    /// @inheritdoc IExchangeRateAdapter
    address public immutable token;
    /// @inheritdoc IExchangeRateAdapter
    RateKind public immutable kind;
    /// @inheritdoc IExchangeRateAdapter
    uint256 public immutable maxGrowthPerDay;

    /// @dev Of a vault: 1.0 share, and what scales its asset to WAD.
    uint256 private immutable _shareUnit;
    uint256 private immutable _assetScale;

    Point private _point;

    /// @param token_ Vault or liquid staking token, with a rate above zero.
    /// @param kind_ How it tells its rate.
    /// @param maxGrowthPerDay_ WAD, underlying per 1.0 share and day; above zero, at most one percent of the rate.
    constructor(address token_, RateKind kind_, uint256 maxGrowthPerDay_) {
        if (token_.code.length == 0) revert ExchangeRateAdapter_NotAContract(token_);
        token = token_;
        kind = kind_;
        if (kind_ == RateKind.Vault) {
            address asset = IERC4626(token_).asset();
            _shareUnit = 10 ** _decimals(token_, MAX_SHARE_DECIMALS);
            _assetScale = 10 ** (WAD_DECIMALS - _decimals(asset, WAD_DECIMALS));
        }

        uint256 rate = rawRate();
        if (rate > MAX_FIRST_RATE) {
            revert ExchangeRateAdapter_RateOutOfRange(rate, MAX_FIRST_RATE);
        }
        uint256 maximum = WadMath.mulDown(rate, MAX_GROWTH_RATIO);
        if (maxGrowthPerDay_ == 0 || maxGrowthPerDay_ > maximum) {
            revert ExchangeRateAdapter_GrowthOutOfBounds(maxGrowthPerDay_, 1, maximum);
        }
        maxGrowthPerDay = maxGrowthPerDay_;
        _record(rate);
    }

    /// @inheritdoc IExchangeRateAdapter
    function poke() external returns (uint256 answer) {
        uint256 raw = rawRate();
        uint256 most = cap();
        if (raw <= most) {
            _record(raw);
            return raw;
        }
        emit RateCapped(raw, most);
        return most;
    }

    /// @inheritdoc IPriceSource
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt)
    {
        return (WadMath.min(rawRate(), cap()), 0, block.timestamp);
    }

    /// @inheritdoc IExchangeRateAdapter
    function recorded() external view returns (uint256 ratio, uint256 recordedAt) {
        Point memory point = _point;
        return (point.ratio, point.recordedAt);
    }

    /// @inheritdoc IExchangeRateAdapter
    function rawRate() public view returns (uint256 rate) {
        if (kind == RateKind.Vault) {
            // A product that overflows is far above any cap, and no price either: the panic loses a vote.
            rate = IERC4626(token).convertToAssets(_shareUnit) * _assetScale;
        } else if (kind == RateKind.StEthPerToken) {
            rate = IStEthPerToken(token).stEthPerToken();
        } else {
            rate = IRateSource(token).rate();
        }
        if (rate == 0) revert ExchangeRateAdapter_ZeroRate();
    }

    /// @inheritdoc IExchangeRateAdapter
    function cap() public view returns (uint256) {
        Point memory point = _point;
        // Below 2^120 · 2^48: the product is exact.
        return point.ratio + maxGrowthPerDay * (block.timestamp - point.recordedAt) / 1 days;
    }

    /// @dev Ratio and time in one word. A ratio at or below the line fits, as the line does.
    function _record(uint256 ratio) private {
        _point = Point(uint208(ratio), uint48(block.timestamp));
        emit RateRecorded(ratio, block.timestamp);
    }

    function _decimals(address token_, uint256 maximum) private view returns (uint256 decimals) {
        decimals = IERC20Metadata(token_).decimals();
        if (decimals > maximum) {
            revert ExchangeRateAdapter_UnsupportedDecimals(token_, decimals, maximum);
        }
    }
}
