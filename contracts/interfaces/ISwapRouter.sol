// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of Uniswap v3's SwapRouter that is used here
interface ISwapRouter {
    /// @param path Tokens and fees, packed: token (20 bytes), fee (3), token (20), …
    /// @param deadline Unix seconds.
    struct ExactInputParams {
        bytes path;
        address recipient;
        uint256 deadline;
        uint256 amountIn;
        uint256 amountOutMinimum;
    }

    function exactInput(ExactInputParams calldata params)
        external
        payable
        returns (uint256 amountOut);
}
