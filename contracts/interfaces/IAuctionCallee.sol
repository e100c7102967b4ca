// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Buyer that receives collateral before paying for it
interface IAuctionCallee {
    /// @notice Called with the collateral already delivered; the payment is taken from the buyer afterwards.
    /// @param token Collateral delivered.
    /// @param amountTokens Token units delivered.
    /// @param paymentTokens Settlement token units that will be taken through the `CollateralVault`'s allowance.
    /// @param data As passed to `takeAuction`.
    function onAuctionTake(
        address token,
        uint256 amountTokens,
        uint256 paymentTokens,
        bytes calldata data
    ) external;
}
