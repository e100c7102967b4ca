// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../types/Action.sol";
import {PriceStatus} from "../types/Price.sol";

/// @notice The two tables that say what is allowed when: action × breaker tier, and action × price status.
/// `docs/spec/guard.md` shows the first, `docs/spec/oracle.md` the second; tests compare them cell by cell.
library ActionPolicy {
    uint8 internal constant HALT = 4;

    /// @notice Thrown when a price is not good enough for an act.
    error ActionPolicy_PriceStatus(Action action, PriceStatus status, PriceStatus required);

    /// @notice Highest tier in which an action is still allowed.
    /// @dev Adding margin and reducing risk go on in every tier below a halt; what takes value out stops first.
    /// Between accounts of one owner value does not leave: it is how margin reaches an isolated account.
    function maxTier(Action action) internal pure returns (uint8) {
        if (action == Action.IncreasePosition) return 1;
        if (action == Action.PoolWithdraw || action == Action.FundWithdraw) return 1;
        if (action == Action.Withdraw || action == Action.Convert) return 2;
        if (action == Action.Deposit) return HALT;
        return 3;
    }

    /// @notice Worst price status with which an action is still allowed.
    /// @dev Adding margin needs no price. What closes or liquidates, at a price that decides who pays, needs a
    /// confirmed one; what takes value out or risk on needs sources that agree.
    function minStatus(Action action) internal pure returns (PriceStatus) {
        if (action == Action.Deposit) return PriceStatus.Stale;
        if (
            action == Action.Withdraw || action == Action.IncreasePosition
                || action == Action.Transfer
        ) {
            return PriceStatus.Valid;
        }
        return PriceStatus.Degraded;
    }

    /// @dev The only place where a status stops an act.
    function requireStatus(Action action, PriceStatus status) internal pure {
        PriceStatus required = minStatus(action);
        if (status < required) revert ActionPolicy_PriceStatus(action, status, required);
    }
}
