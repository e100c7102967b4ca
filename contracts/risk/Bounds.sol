// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";

/// @dev Refuses a parameter outside of its hard bounds.
function _bound(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum) pure {
    if (value < minimum || value > maximum) {
        revert IRiskParameters.RiskParameters_OutOfBounds(parameter, value, minimum, maximum);
    }
}
