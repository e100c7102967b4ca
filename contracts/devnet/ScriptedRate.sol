// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRateSource} from "../interfaces/IRateSource.sol";
import {IStEthPerToken} from "../interfaces/IStEthPerToken.sol";

/// @title A token whose rate is whatever it is told, asked in any of three ways
/// @notice For local chains only.
contract ScriptedRate is IRateSource, IStEthPerToken {
    /// @inheritdoc IRateSource
    uint256 public rate;
    /// @notice As a vault and as that vault's asset.
    uint8 public immutable decimals;

    /// @param decimals_ Of share and asset.
    /// @param rate_ The first rate.
    constructor(uint8 decimals_, uint256 rate_) {
        decimals = decimals_;
        rate = rate_;
    }

    /// @param rate_ Any value at all.
    function set(uint256 rate_) external {
        rate = rate_;
    }

    /// @inheritdoc IStEthPerToken
    function stEthPerToken() external view returns (uint256) {
        return rate;
    }

    /// @notice As a vault: the rate, whatever is asked for.
    function convertToAssets(uint256) external view returns (uint256) {
        return rate;
    }

    /// @notice As a vault: itself.
    function asset() external view returns (address) {
        return address(this);
    }
}
