// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {AssetId} from "../types/AssetId.sol";
import {PriceData} from "../types/Price.sol";

/// @title An oracle that answers what it is told, at any status
/// @notice For local chains only: the part of `IOracleAggregator` that a reader of prices calls.
contract ScriptedOracle {
    mapping(AssetId => PriceData) private _prices;
    mapping(AssetId => bool) private _isKnown;

    /// @param data Any price, time and status at all. From now on the asset is known.
    function set(AssetId asset, PriceData calldata data) external {
        (_prices[asset], _isKnown[asset]) = (data, true);
    }

    /// @notice As `IOracleAggregator.fetch`.
    function fetch(AssetId asset) external view returns (PriceData memory) {
        return latest(asset);
    }

    /// @notice As `IOracleAggregator.derivation`: every asset has sources.
    function derivation(AssetId asset)
        external
        view
        returns (IOracleAggregator.Derivation memory derivation_, uint256 depth)
    {
        _requireKnown(asset);
        return (derivation_, 1);
    }

    /// @notice As `IOracleAggregator.latest`.
    function latest(AssetId asset) public view returns (PriceData memory) {
        _requireKnown(asset);
        return _prices[asset];
    }

    function _requireKnown(AssetId asset) private view {
        if (!_isKnown[asset]) revert IOracleAggregator.OracleAggregator_UnknownAsset(asset);
    }
}
