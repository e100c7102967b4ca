// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBackingSource} from "../interfaces/IBackingSource.sol";
import {IRateSource} from "../interfaces/IRateSource.sol";
import {IRedemptionQueue} from "../interfaces/IRedemptionQueue.sol";

/// @title A source of rates, backing or delays that says what it is told, and misbehaves on demand
/// @notice For local chains only: what the peg monitor must survive.
contract HostilePegSource is IRateSource, IBackingSource, IRedemptionQueue {
    enum Mode {
        Normal,
        Revert,
        BurnGas,
        ReturnBomb,
        RevertBomb,
        ShortAnswer,
        NoAnswer
    }

    /// @dev A memory expansion that uses up most of a read's allowance: 100,000 bytes cost about 28k gas.
    uint256 private constant BOMB_BYTES = 100_000;

    Mode public mode;
    uint256 public answer;

    /// @notice Thrown in the mode `Revert`.
    error HostilePegSource_Down();

    /// @param answer_ Any value at all. In the mode `ReturnBomb` it is the first word of the bomb.
    function set(Mode mode_, uint256 answer_) external {
        (mode, answer) = (mode_, answer_);
    }

    /// @inheritdoc IRateSource
    function rate() external view returns (uint256) {
        return _answer();
    }

    /// @inheritdoc IBackingSource
    function backing() external view returns (uint256) {
        return _answer();
    }

    /// @inheritdoc IRedemptionQueue
    function queueDelay(uint256) external view returns (uint256) {
        return _answer();
    }

    function _answer() private view returns (uint256 word) {
        Mode mode_ = mode;
        word = answer;
        if (mode_ == Mode.Revert) revert HostilePegSource_Down();
        if (mode_ == Mode.BurnGas) {
            while (true) {}
        }
        if (mode_ == Mode.ReturnBomb) {
            assembly {
                mstore(0, word)
                return(0, BOMB_BYTES)
            }
        }
        if (mode_ == Mode.RevertBomb) {
            assembly {
                revert(0, BOMB_BYTES)
            }
        }
        if (mode_ == Mode.ShortAnswer) {
            assembly {
                mstore(0, word)
                return(0, 31)
            }
        }
        if (mode_ == Mode.NoAnswer) {
            assembly {
                return(0, 0)
            }
        }
    }
}
