// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TokenScale} from "../libraries/TokenScale.sol";
import {LedgerVault} from "../margin/LedgerVault.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";

/// @title Stakers who pay for bad debt before the pool does, and earn fees for it
/// @notice Shares in the compartment's insurance cash. Losses lower it for all shares alike.
contract InsuranceFund is LedgerVault {
    constructor(Compartment memory wiring)
        LedgerVault(wiring, "Bulkhead Insurance", "bhINS", Action.FundDeposit, Action.FundWithdraw)
    {}

    function _enterValue(bool) internal view override returns (uint256 value, bool isOpen) {
        value = TokenScale.toTokensUp(_marginEngine.totals().insuranceCash, _assetDecimals);
        isOpen = true;
    }

    function _leaveValue(bool) internal view override returns (uint256 value, uint256 free) {
        value = TokenScale.toTokensDown(_marginEngine.totals().insuranceCash, _assetDecimals);
        free = type(uint256).max;
    }

    /// @dev Stakers need not ask before they leave.
    function _exitTerms() internal pure override returns (uint32 cooldown, uint32 window) {}

    function _refresh() internal override {}

    function _book(uint256 amountTokens) internal override {
        _marginEngine.creditInsurance(amountTokens);
    }

    function _pay(uint256 amountTokens, address receiver) internal override {
        _marginEngine.debitInsurance(amountTokens, receiver);
    }
}
