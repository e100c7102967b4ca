// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IDepthSource} from "../../interfaces/IDepthSource.sol";
import {IUniswapV3PoolMinimal} from "../../interfaces/IUniswapV3PoolMinimal.sol";
import {TokenScale} from "../../libraries/TokenScale.sol";
import {WadMath} from "../../libraries/WadMath.sol";
import {UniswapV3Window} from "./UniswapV3Window.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

/// @title The virtual reserve of a token in a Uniswap v3 pool, averaged over a window
/// @notice With liquidity L and root price √P a range behaves as a constant product with reserves L/√P of token 0 and
/// L·√P of token 1. L is the harmonic mean over the window: liquidity that comes for a moment counts for a moment, and
/// liquidity that goes for a moment counts for more than that.
/// @dev Reserves of the range in use: what lies beyond its ends is not seen, so a sale that leaves the range may fetch
/// less than `IDepthSource.depth` says. The governor's own bound is for that.
contract UniswapV3Depth is IDepthSource {
    /// @notice Thrown when there is no contract at the pool's address.
    error UniswapV3Depth_NotAContract(address pool);
    /// @notice Thrown when the token is not one of the pool's.
    error UniswapV3Depth_NotInPool(address token, address token0, address token1);
    /// @notice Thrown when the window is zero.
    error UniswapV3Depth_ZeroWindow();
    /// @notice Thrown when a token has more than 18 decimals.
    error UniswapV3Depth_UnsupportedDecimals(address token, uint8 decimals, uint8 maximum);

    uint8 private constant MAX_DECIMALS = 18;

    /// @notice Pool that is measured.
    IUniswapV3PoolMinimal public immutable pool;
    /// @notice Token whose reserve is the answer.
    address public immutable token;
    /// @notice Seconds averaged over.
    uint32 public immutable windowSeconds;

    bool private immutable _isToken0;
    uint8 private immutable _decimals;

    /// @param pool_ Its history must reach `windowSeconds_` back at every read.
    /// @param token_ One of its tokens, of at most 18 decimals.
    /// @param windowSeconds_ Seconds, > 0.
    constructor(IUniswapV3PoolMinimal pool_, address token_, uint32 windowSeconds_) {
        if (address(pool_).code.length == 0) revert UniswapV3Depth_NotAContract(address(pool_));
        if (windowSeconds_ == 0) revert UniswapV3Depth_ZeroWindow();
        address token0 = pool_.token0();
        address token1 = pool_.token1();
        if (token_ != token0 && token_ != token1) {
            revert UniswapV3Depth_NotInPool(token_, token0, token1);
        }
        uint8 decimals = IERC20Metadata(token_).decimals();
        if (decimals > MAX_DECIMALS) {
            revert UniswapV3Depth_UnsupportedDecimals(token_, decimals, MAX_DECIMALS);
        }
        pool = pool_;
        token = token_;
        windowSeconds = windowSeconds_;
        _isToken0 = token_ == token0;
        _decimals = decimals;
    }

    /// @inheritdoc IDepthSource
    function depth() external view returns (uint256) {
        (int24 meanTick, uint256 liquidity) = UniswapV3Window.consult(pool, windowSeconds);
        uint256 root = TickMath.getSqrtPriceAtTick(meanTick);
        uint256 reserve = _isToken0
            ? WadMath.mulDivDown(liquidity, 1 << 96, root)
            : WadMath.mulDivDown(liquidity, root, 1 << 96);
        return TokenScale.toWad(reserve, _decimals);
    }
}
