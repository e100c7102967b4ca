// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title OpenZeppelin's ERC-4626 vault as it comes: a donation of its asset lifts its rate at once
/// @notice For local chains only.
contract DevVault is ERC4626 {
    uint8 private immutable _offset;

    /// @param asset_ Token that the vault holds.
    /// @param offset_ Decimals of a share above those of the asset.
    constructor(IERC20 asset_, uint8 offset_) ERC20("Development Vault", "vDEV") ERC4626(asset_) {
        _offset = offset_;
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _offset;
    }
}
