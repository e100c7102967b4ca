// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The one place where token units meet WAD, for tokens of 0 to 18 decimals.
library TokenScale {
    /// @notice Exact: a token unit is a whole number of WAD units.
    /// @dev Overflows only above 2^256 / 1e18 token units; callers hold at most uint128.
    function toWad(uint256 amountTokens, uint8 decimals) internal pure returns (uint256) {
        return amountTokens * 10 ** (18 - decimals);
    }

    /// @notice Payouts: what is not a whole token unit stays in custody.
    function toTokensDown(uint256 amount, uint8 decimals) internal pure returns (uint256) {
        return amount / 10 ** (18 - decimals);
    }

    /// @notice Payments due: never less than the amount.
    function toTokensUp(uint256 amount, uint8 decimals) internal pure returns (uint256) {
        uint256 unit = 10 ** (18 - decimals);
        return (amount + unit - 1) / unit;
    }
}
