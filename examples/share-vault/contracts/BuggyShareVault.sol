// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ShareVault} from "./ShareVault.sol";

/// @title The vault with a planted bug
/// @notice `withdraw` rounds the shares to give up down instead of up, at the cost of those who stay:
/// where a share is worth two units of the asset, anyone withdraws one unit for no share at all.
contract BuggyShareVault is ShareVault {
    constructor(address asset_) ShareVault(asset_) {}

    /// @inheritdoc ShareVault
    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return convertToShares(assets);
    }
}
