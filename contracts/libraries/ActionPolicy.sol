// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../types/Action.sol";
import {PriceStatus} from "../types/Price.sol";

/// @notice The two tables that say what is allowed when: action × breaker tier, and action × price status.
/// `docs/spec/guard.md` shows both; a test compares them cell by cell.
library ActionPolicy {
    uint8 internal constant HALT = 4;

    /// @notice Highest tier in which an action is still allowed.
    /// @dev Adding margin and reducing risk go on in every tier below a halt; what takes value out stops first.
    function maxTier(Action action) internal pure returns (uint8) {
        if (action == Action.IncreasePosition) return 1;
        if (action == Action.PoolWithdraw || action == Action.FundWithdraw) return 1;
        if (action == Action.Withdraw || action == Action.Convert) return 2;
        if (action == Action.Deposit) return HALT;
        return 3;
    }

    /// @notice Worst price status with which an action is still allowed.
    /// @dev Liquidations tolerate more than withdrawals; nothing that needs a price runs on a stale one.
    function minStatus(Action action) internal pure returns (PriceStatus) {
        if (action == Action.Withdraw || action == Action.IncreasePosition) {
            return PriceStatus.Valid;
        }
        return PriceStatus.Degraded;
    }
}
