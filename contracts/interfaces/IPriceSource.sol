// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title One price source
/// @notice Adapters turn a foreign feed into this shape. They are immutable, hold nothing and may revert:
/// the aggregator calls them under a gas limit and leaves out whatever misbehaves.
interface IPriceSource {
    /// @return oraclePrice WAD, quote units per 1.0 of base.
    /// @return confidence WAD, half-width of the source's own uncertainty in quote units (0 if unknown).
    /// @return publishedAt Unix seconds at which the foreign feed published the price.
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt);
}
