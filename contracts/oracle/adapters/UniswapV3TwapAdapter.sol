// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";
import {IUniswapV3PoolMinimal} from "../../interfaces/IUniswapV3PoolMinimal.sol";
import {IUniswapV3TwapAdapter} from "../../interfaces/IUniswapV3TwapAdapter.sol";
import {TickPrice} from "../../libraries/TickPrice.sol";
import {UniswapV3Window} from "./UniswapV3Window.sol";

/// @title The time-weighted price of a Uniswap v3 pool as a price source
contract UniswapV3TwapAdapter is IUniswapV3TwapAdapter {
    uint256 private constant MAX_DECIMALS = 18;
    /// @dev The pool divides by max(1, liquidity), so an empty one shows a harmonic mean of one.
    uint128 private constant LEAST_LIQUIDITY_BOUND = 2;
    /// @dev With one observation every swap starts history anew.
    uint16 private constant LEAST_CARDINALITY_BOUND = 2;

    /// @inheritdoc IUniswapV3TwapAdapter
    IUniswapV3PoolMinimal public immutable pool;
    /// @inheritdoc IUniswapV3TwapAdapter
    address public immutable baseToken;
    /// @inheritdoc IUniswapV3TwapAdapter
    address public immutable quoteToken;
    /// @inheritdoc IUniswapV3TwapAdapter
    uint32 public immutable windowSeconds;
    /// @inheritdoc IUniswapV3TwapAdapter
    uint128 public immutable minLiquidity;
    /// @inheritdoc IUniswapV3TwapAdapter
    uint16 public immutable minCardinality;

    bool private immutable _baseIsToken0;
    uint256 private immutable _multiplier;

    /// @param pool_ Pool that holds the base; its history must reach `windowSeconds_` back at every read.
    /// @param baseToken_ Token to price in units of the other.
    /// @param windowSeconds_ Seconds to average over, > 0.
    /// @param minLiquidity_ Least harmonic mean liquidity over the window, in the pool's units, > 1.
    /// @param minCardinality_ Least number of observations that the pool keeps, > 1: the blocks in a window.
    constructor(
        IUniswapV3PoolMinimal pool_,
        address baseToken_,
        uint32 windowSeconds_,
        uint128 minLiquidity_,
        uint16 minCardinality_
    ) {
        if (address(pool_).code.length == 0) {
            revert UniswapV3TwapAdapter_NotAContract(address(pool_));
        }
        if (windowSeconds_ == 0) revert UniswapV3TwapAdapter_ZeroWindow();
        if (minLiquidity_ < LEAST_LIQUIDITY_BOUND) {
            revert UniswapV3TwapAdapter_LiquidityBound(minLiquidity_, LEAST_LIQUIDITY_BOUND);
        }
        if (minCardinality_ < LEAST_CARDINALITY_BOUND) {
            revert UniswapV3TwapAdapter_CardinalityBound(minCardinality_, LEAST_CARDINALITY_BOUND);
        }
        address token0 = pool_.token0();
        address token1 = pool_.token1();
        if (baseToken_ != token0 && baseToken_ != token1) {
            revert UniswapV3TwapAdapter_NotInPool(baseToken_, token0, token1);
        }
        (,,, uint16 cardinality,,,) = pool_.slot0();
        if (cardinality < minCardinality_) {
            revert UniswapV3TwapAdapter_CardinalityTooLow(cardinality, minCardinality_);
        }

        pool = pool_;
        windowSeconds = windowSeconds_;
        minLiquidity = minLiquidity_;
        minCardinality = minCardinality_;
        baseToken = baseToken_;
        quoteToken = baseToken_ == token0 ? token1 : token0;
        _baseIsToken0 = baseToken_ == token0;
        _multiplier = 10 ** (18 + _decimals(baseToken) - _decimals(quoteToken));
    }

    /// @inheritdoc IPriceSource
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt)
    {
        uint256 history = historySeconds();
        if (history < windowSeconds) {
            revert UniswapV3TwapAdapter_HistoryTooShort(history, windowSeconds);
        }
        (int24 meanTick, uint256 liquidity) = UniswapV3Window.consult(pool, windowSeconds);
        if (liquidity < minLiquidity) {
            revert UniswapV3TwapAdapter_LiquidityTooLow(liquidity, minLiquidity);
        }
        return (TickPrice.priceAtTick(meanTick, _baseIsToken0, _multiplier), 0, block.timestamp);
    }

    /// @inheritdoc IUniswapV3TwapAdapter
    function historySeconds() public view returns (uint256) {
        (,, uint16 index, uint16 cardinality,,,) = pool.slot0();
        (uint32 oldest,,, bool isWritten) = pool.observations((uint256(index) + 1) % cardinality);
        // Until the ring was full once, the place after the newest is empty and the first is the oldest.
        if (!isWritten) (oldest,,,) = pool.observations(0);
        unchecked {
            return uint32(block.timestamp) - oldest; // The pool's clock wraps at 32 bits.
        }
    }

    /// @dev At most 18, so that the multiplier's exponent stays in [0, 36].
    function _decimals(address token) private view returns (uint256 decimals) {
        decimals = IERC20Metadata(token).decimals();
        if (decimals > MAX_DECIMALS) {
            revert UniswapV3TwapAdapter_UnsupportedDecimals(token, decimals, MAX_DECIMALS);
        }
    }
}
