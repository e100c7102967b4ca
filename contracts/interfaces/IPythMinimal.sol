// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of the Pyth contract that an adapter uses
/// @dev Same signatures as `IPyth` of @pythnetwork/pyth-sdk-solidity.
interface IPythMinimal {
    /// @param price Mantissa: the price is `price` · 10^`expo` quote units per 1.0 of base.
    /// @param conf Mantissa of the confidence half-width, same exponent.
    /// @param expo Power of ten of both mantissas.
    /// @param publishTime Unix seconds.
    struct Price {
        int64 price;
        uint64 conf;
        int32 expo;
        uint256 publishTime;
    }

    /// @return The last price of a feed, however old. Reverts if the feed is unknown.
    function getPriceUnsafe(bytes32 id) external view returns (Price memory);

    /// @return feeAmount Wei that `updatePriceFeeds` wants for these updates.
    function getUpdateFee(bytes[] calldata updateData) external view returns (uint256 feeAmount);

    /// @notice Verifies signed updates and stores each that is newer than what is known.
    function updatePriceFeeds(bytes[] calldata updateData) external payable;
}
