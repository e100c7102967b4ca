// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ExitRequest} from "../types/Ledger.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title ERC-4626 shares in a part of the clearing ledger
/// @notice The assets are a number in the margin engine's ledger and the tokens lie in custody with everything
/// else, so a token sent to this contract changes no price. A vault may ask its owners to request what they redeem:
/// then `maxRedeem` and `maxWithdraw` count only what was requested, has cooled and has not lapsed. They count also
/// the breaker's tier, whether the value is known, and what has to stay as coverage: at the limit redeeming works,
/// a unit above it is refused.
/// @dev In the middle of a call of the compartment all views but `exitRequest` and those of ERC-20 revert with
/// `CompartmentLock_Locked`, `max…` too.
interface ILedgerVault is IERC4626 {
    /// @notice Shares were requested; the request is greater by them, and cools anew.
    /// @param shares Raw shares that came in addition …
    /// @param totalShares … and with them.
    /// @param unlocksAt Unix seconds from which they can be redeemed …
    /// @param expiresAt … to which.
    event RedeemRequested(
        address indexed owner,
        uint256 shares,
        uint256 totalShares,
        uint256 unlocksAt,
        uint256 expiresAt
    );
    /// @notice A request of so many raw shares was withdrawn.
    event RequestCancelled(address indexed owner, uint256 shares);

    /// @notice Thrown when an amount is zero, or rounds to zero on the other side.
    error LedgerVault_ZeroAmount();
    /// @notice Thrown when fewer tokens arrived than were sent.
    error LedgerVault_TransferFee(uint256 received, uint256 sent);
    /// @notice Thrown when the vault lets its owners leave without a request.
    error LedgerVault_NoRequestNeeded();
    /// @notice Thrown when a request or transfer takes more than the raw shares that are not requested yet.
    error LedgerVault_InsufficientShares(address owner, uint256 free, uint256 shares);
    /// @notice Thrown when there is no request to redeem or cancel.
    error LedgerVault_NotRequested(address owner);
    /// @notice Thrown when a request has not cooled. Unix seconds.
    error LedgerVault_Cooling(address owner, uint256 timestamp, uint256 unlocksAt);
    /// @notice Thrown when a request is too old. Unix seconds.
    error LedgerVault_Lapsed(address owner, uint256 timestamp, uint256 expiresAt);
    /// @notice Thrown when less would stay in the vault than it has to keep. Token units.
    error LedgerVault_Coverage(uint256 assets, uint256 limit);

    /// @notice Asks for shares of the caller to be redeemed later, in addition to what she has asked for. The terms
    /// are those of this moment; the value will be that of redeeming, so she bears what happens until then. All that
    /// she has asked for cools anew. Allowed in every tier: nothing moves.
    /// @param shares Raw shares. They stay hers, but she cannot transfer them until the request is used, cancelled
    /// or has lapsed.
    /// @dev Reverts with `CompartmentLock_Locked`, `LedgerVault_NoRequestNeeded`, `LedgerVault_ZeroAmount`,
    /// `LedgerVault_InsufficientShares`, `Overflow` beyond 2^176 shares.
    function requestRedeem(uint256 shares) external;

    /// @notice Withdraws the caller's request. Allowed in every tier.
    /// @dev Reverts with `CompartmentLock_Locked`, `LedgerVault_NotRequested` also if it has lapsed.
    function cancelRequest() external;

    /// @notice An owner's request, also one that has lapsed and holds nothing any more; all zero if she has none.
    function exitRequest(address owner) external view returns (ExitRequest memory);
}
