// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {Compartment} from "../types/Compartment.sol";

/// @notice Implements `ICollateralVault`, where every function is documented.
contract CollateralVault is ICollateralVault {
    using SafeERC20 for IERC20;

    address internal immutable _marginEngine;

    modifier onlyMarginEngine() {
        if (msg.sender != _marginEngine) revert CollateralVault_NotMarginEngine(msg.sender);
        _;
    }

    constructor(Compartment memory wiring) {
        _marginEngine = wiring.marginEngine;
    }

    /// @inheritdoc ICollateralVault
    function pull(address token, address from, uint256 amountTokens)
        external
        onlyMarginEngine
        returns (uint256 received)
    {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amountTokens);
        received = IERC20(token).balanceOf(address(this)) - before;
    }

    /// @inheritdoc ICollateralVault
    function push(address token, address to, uint256 amountTokens) external onlyMarginEngine {
        IERC20(token).safeTransfer(to, amountTokens);
    }
}
