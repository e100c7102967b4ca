// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {AccountId} from "../types/Ids.sol";
import {Grant, Permissions} from "../types/Permissions.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @notice Implements `IAccountOperators`, where every function is documented.
contract AccountOperators is IAccountOperators, EIP712 {
    bytes32 internal constant SET_OPERATOR_TYPEHASH = keccak256(
        "SetOperator(bytes32 account,address operator,uint8 permissions,uint40 expiresAt,uint256 nonce,uint256 deadline)"
    );

    mapping(AccountId account => mapping(address operator => Grant)) internal _grants;
    /// @dev Bit `nonce % 256` of word `nonce / 256`.
    mapping(address owner => mapping(uint256 word => uint256)) internal _usedNonces;

    constructor() EIP712("Bulkhead AccountOperators", "1") {}

    // ------------------------------------------------------------------ state-changing

    /// @inheritdoc IAccountOperators
    function setOperator(AccountId account, address operator, uint8 permissions, uint40 expiresAt)
        external
    {
        if (account.owner() != msg.sender) revert AccountOperators_NotOwner(account, msg.sender);
        _requireGrant(account, operator, permissions, expiresAt);
        _set(account, operator, permissions, expiresAt);
    }

    /// @inheritdoc IAccountOperators
    /// @dev The owner's contract is asked by a static call and before anything is written: it can change nothing
    /// in between, and what it answers counts once.
    function setOperatorBySignature(
        AccountId account,
        address operator,
        uint8 permissions,
        uint40 expiresAt,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external {
        address owner = account.owner();
        if (block.timestamp > deadline) {
            revert AccountOperators_SignatureExpired(deadline, block.timestamp);
        }
        if (isNonceUsed(owner, nonce)) revert AccountOperators_NonceUsed(owner, nonce);
        _requireGrant(account, operator, permissions, expiresAt);
        bytes32 hash = digest(account, operator, permissions, expiresAt, nonce, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, hash, signature)) {
            revert AccountOperators_InvalidSignature(owner);
        }
        _useNonces(owner, nonce >> 8, 1 << (nonce & 0xff));
        _set(account, operator, permissions, expiresAt);
    }

    /// @inheritdoc IAccountOperators
    function renounce(AccountId account) external {
        if (_grants[account][msg.sender].permissions == 0) {
            revert AccountOperators_NoGrant(account, msg.sender);
        }
        _set(account, msg.sender, 0, 0);
    }

    /// @inheritdoc IAccountOperators
    function invalidateNonces(uint256 word, uint256 mask) external {
        _useNonces(msg.sender, word, mask);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IAccountOperators
    function permissionsOf(AccountId account, address operator) public view returns (uint8) {
        Grant memory g = _grants[account][operator];
        return block.timestamp < g.expiresAt ? g.permissions : 0;
    }

    /// @inheritdoc IAccountOperators
    function grantOf(AccountId account, address operator) external view returns (Grant memory) {
        return _grants[account][operator];
    }

    /// @inheritdoc IAccountOperators
    function isNonceUsed(address owner, uint256 nonce) public view returns (bool) {
        return (_usedNonces[owner][nonce >> 8] >> (nonce & 0xff)) & 1 == 1;
    }

    /// @inheritdoc IAccountOperators
    function usedNonces(address owner, uint256 word) external view returns (uint256) {
        return _usedNonces[owner][word];
    }

    /// @inheritdoc IAccountOperators
    function isAuthorized(AccountId account, address caller, uint8 permission)
        public
        view
        returns (bool)
    {
        if (account.owner() == caller) return true;
        return permission != 0 && permissionsOf(account, caller) & permission == permission;
    }

    /// @inheritdoc IAccountOperators
    function requireAuthorized(AccountId account, address caller, uint8 permission) external view {
        if (!isAuthorized(account, caller, permission)) {
            revert AccountOperators_NotAuthorized(account, caller, permission);
        }
    }

    /// @inheritdoc IAccountOperators
    function digest(
        AccountId account,
        address operator,
        uint8 permissions,
        uint40 expiresAt,
        uint256 nonce,
        uint256 deadline
    ) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    SET_OPERATOR_TYPEHASH,
                    account,
                    operator,
                    permissions,
                    expiresAt,
                    nonce,
                    deadline
                )
            )
        );
    }

    // ------------------------------------------------------------------ internal

    function _requireGrant(AccountId account, address operator, uint8 permissions, uint40 expiresAt)
        internal
        view
    {
        if (operator == address(0) || operator == account.owner()) {
            revert AccountOperators_InvalidOperator(operator);
        }
        if (permissions > Permissions.ALL) {
            revert AccountOperators_UnknownPermissions(permissions, Permissions.ALL);
        }
        if (permissions != 0 && expiresAt <= block.timestamp) {
            revert AccountOperators_ExpiryInPast(expiresAt, block.timestamp);
        }
    }

    function _set(AccountId account, address operator, uint8 permissions, uint40 expiresAt)
        internal
    {
        // What is revoked leaves nothing behind.
        if (permissions == 0) expiresAt = 0;
        _grants[account][operator] = Grant(permissions, expiresAt);
        emit OperatorSet(account, operator, permissions, expiresAt, msg.sender);
    }

    function _useNonces(address owner, uint256 word, uint256 mask) internal {
        mask |= _usedNonces[owner][word];
        _usedNonces[owner][word] = mask;
        emit NoncesUsed(owner, word, mask);
    }
}
