// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token with ERC-2612 permits
/// @notice For local chains only: its deployer gets all of it.
contract DevPermitToken is ERC20Permit {
    /// @param supply Raw, for the deployer.
    constructor(uint256 supply) ERC20("Permit", "PMT") ERC20Permit("Permit") {
        _mint(msg.sender, supply);
    }
}
