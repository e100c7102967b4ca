// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId} from "../types/Ids.sol";
import {MarketExposure} from "../types/Valuation.sol";

/// @title What the margin engine asks of trading
/// @notice Owned by the margin layer and implemented by the exchange, so that clearing depends on no trading
/// code. It is the one view that the engine calls to its right; state-changing calls only ever point left.
interface IExposureSource {
    /// @notice Every open position of an account, valued at current prices.
    /// @return exposures At most 16.
    function exposuresOf(AccountId account)
        external
        view
        returns (MarketExposure[] memory exposures);

    /// @notice Whether an account has any open position.
    function hasExposure(AccountId account) external view returns (bool);
}
