// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId} from "../types/Ids.sol";
import {Grant} from "../types/Permissions.sol";

/// @title Who may act for a margin account besides its owner
/// @notice Holds no tokens and takes no lock: it only remembers what owners allow. Permissions are bits of
/// `Permissions`, times Unix seconds. A signature is bound to this contract and chain (EIP-712), and to one nonce.
interface IAccountOperators {
    /// @param by Who changed it: the owner, whoever brought the owner's signature, or the operator.
    event OperatorSet(
        AccountId indexed account,
        address indexed operator,
        uint8 permissions,
        uint40 expiresAt,
        address by
    );
    /// @param mask Bits that are used now, those that were before among them.
    event NoncesUsed(address indexed owner, uint256 word, uint256 mask);

    /// @notice Thrown when the caller does not own the account.
    error AccountOperators_NotOwner(AccountId account, address caller);
    /// @notice Thrown when a signature comes after its deadline.
    error AccountOperators_SignatureExpired(uint256 deadline, uint256 timestamp);
    /// @notice Thrown when a nonce was used or cancelled before.
    error AccountOperators_NonceUsed(address owner, uint256 nonce);
    /// @notice Thrown when the owner did not sign this.
    error AccountOperators_InvalidSignature(address owner);
    /// @notice Thrown when a grant has bits that mean nothing.
    error AccountOperators_UnknownPermissions(uint8 given, uint8 known);
    /// @notice Thrown when a grant would have ended before it began.
    error AccountOperators_ExpiryInPast(uint40 expiresAt, uint256 timestamp);
    /// @notice Thrown when the operator is nobody, or the owner, who needs no grant.
    error AccountOperators_InvalidOperator(address operator);
    /// @notice Thrown when somebody gives up what was not granted.
    error AccountOperators_NoGrant(AccountId account, address operator);
    /// @notice Thrown when the caller is neither the owner nor an operator with this permission.
    error AccountOperators_NotAuthorized(AccountId account, address caller, uint8 permission);

    // ------------------------------------------------------------------ state-changing

    /// @notice Grants an operator exactly these permissions, in place of those before. Only the owner.
    /// @param permissions Bits; 0 revokes, whatever the expiry.
    /// @param expiresAt Unix seconds, later than now.
    function setOperator(AccountId account, address operator, uint8 permissions, uint40 expiresAt)
        external;

    /// @notice The same with the owner's signature, brought by anyone: ECDSA, or ERC-1271 where the owner has code.
    /// @param nonce Any number that the owner has not used yet, in any order.
    /// @param deadline Last Unix second at which the signature counts.
    function setOperatorBySignature(
        AccountId account,
        address operator,
        uint8 permissions,
        uint40 expiresAt,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Gives up the caller's own grant on an account, expired or not.
    function renounce(AccountId account) external;

    /// @notice Cancels nonces of the caller: those from `256 · word` on whose bits are set.
    /// @dev Bits that are set already stay so; no mask is refused.
    function invalidateNonces(uint256 word, uint256 mask) external;

    // ------------------------------------------------------------------ views

    /// @notice What an operator may do now; 0 once the grant has expired.
    function permissionsOf(AccountId account, address operator) external view returns (uint8);

    /// @notice A grant as it was given, expired or not.
    function grantOf(AccountId account, address operator) external view returns (Grant memory);

    /// @notice Whether a nonce of an owner has been used or cancelled.
    function isNonceUsed(address owner, uint256 nonce) external view returns (bool);

    /// @notice 256 nonces of an owner at once: bit i stands for `256 · word + i`.
    function usedNonces(address owner, uint256 word) external view returns (uint256);

    /// @notice Whether a caller is the owner, or holds all of these permissions.
    /// @param permission Bits; of none, only the owner is authorized.
    function isAuthorized(AccountId account, address caller, uint8 permission)
        external
        view
        returns (bool);

    /// @notice Reverts unless `isAuthorized`.
    function requireAuthorized(AccountId account, address caller, uint8 permission) external view;

    /// @notice What an owner signs for these arguments: the EIP-712 digest.
    function digest(
        AccountId account,
        address operator,
        uint8 permissions,
        uint40 expiresAt,
        uint256 nonce,
        uint256 deadline
    ) external view returns (bytes32);
}
