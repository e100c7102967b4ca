// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title ERC-4626 shares in a part of the clearing ledger
/// @notice The assets are a number in the margin engine's ledger and the tokens lie in custody with everything
/// else, so a token sent to this contract changes no price.
interface ILedgerVault is IERC4626 {
    /// @notice Thrown when an amount is zero, or rounds to zero on the other side.
    error LedgerVault_ZeroAmount();
    /// @notice Thrown when fewer tokens arrived than were sent.
    error LedgerVault_TransferFee(uint256 received, uint256 sent);
}
