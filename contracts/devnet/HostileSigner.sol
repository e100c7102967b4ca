// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract that signs with its owner's key, and misbehaves on demand
/// @notice For local chains only: what whoever asks for an ERC-1271 signature must survive.
contract HostileSigner is IERC1271 {
    enum Mode {
        Normal,
        Always,
        Revert,
        BurnGas,
        ReturnBomb,
        ShortAnswer,
        Garbage,
        DirtyMagic,
        Nothing,
        WithinAllowance
    }

    uint256 private constant BOMB_BYTES = 100_000;
    /// @dev Gas that `WithinAllowance` wants, no less and no more.
    uint256 private constant ALLOWANCE = 100_000;
    uint256 private constant GARBAGE = 0xdeadbeef << 224;

    address public immutable owner;
    Mode public mode;

    /// @notice Thrown in the mode `Revert`.
    error HostileSigner_Down();

    /// @param owner_ Whose ECDSA signatures count as this contract's.
    constructor(address owner_) {
        owner = owner_;
    }

    /// @notice Chooses how signatures are judged.
    function setMode(Mode mode_) external {
        mode = mode_;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        uint256 available = gasleft();
        bytes4 magic = IERC1271.isValidSignature.selector;
        Mode mode_ = mode;
        if (mode_ == Mode.Always) return magic;
        if (mode_ == Mode.WithinAllowance) {
            return available <= ALLOWANCE && available > ALLOWANCE - 500 ? magic : bytes4(0);
        }
        if (mode_ == Mode.Revert) revert HostileSigner_Down();
        if (mode_ == Mode.BurnGas) {
            while (true) {}
        }
        // Nothing from here on is a valid answer, although all of it says success.
        if (mode_ == Mode.ReturnBomb) {
            assembly {
                mstore(BOMB_BYTES, 1)
                return(0x20, BOMB_BYTES)
            }
        }
        if (mode_ == Mode.ShortAnswer) {
            assembly {
                mstore(0, magic)
                return(0, 4)
            }
        }
        if (mode_ == Mode.Garbage) {
            assembly {
                mstore(0, GARBAGE)
                return(0, 0x20)
            }
        }
        if (mode_ == Mode.DirtyMagic) {
            assembly {
                mstore(0, or(magic, 1))
                return(0, 0x20)
            }
        }
        if (mode_ == Mode.Nothing) {
            assembly {
                return(0, 0)
            }
        }
        (address recovered, ECDSA.RecoverError failure,) =
            ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == owner ? magic : bytes4(0);
    }
}
