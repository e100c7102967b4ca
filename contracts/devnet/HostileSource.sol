// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceSource} from "../interfaces/IPriceSource.sol";

/// @title A price source that says whatever it is told, and misbehaves on demand
/// @notice For local chains only: what the aggregator must survive.
contract HostileSource is IPriceSource {
    enum Mode {
        Normal,
        Revert,
        BurnGas,
        ReturnBomb,
        RevertBomb,
        ShortAnswer,
        GasDependent
    }

    /// @dev A memory expansion that uses up most of a source's allowance: 100,000 bytes cost about 28k gas.
    uint256 private constant BOMB_BYTES = 100_000;

    Mode public mode;
    uint256 public gasWanted;
    uint256 private _price;
    uint256 private _confidence;
    uint256 private _publishedAt;

    /// @notice Thrown in the mode `Revert`, and in `GasDependent` with too little gas.
    error HostileSource_Down();

    /// @param price_ WAD; any value at all.
    /// @param confidence_ WAD; any value at all.
    /// @param publishedAt_ Unix seconds; any value at all.
    function set(uint256 price_, uint256 confidence_, uint256 publishedAt_) external {
        (_price, _confidence, _publishedAt) = (price_, confidence_, publishedAt_);
    }

    /// @param gasWanted_ Least gas with which `GasDependent` answers.
    function setMode(Mode mode_, uint256 gasWanted_) external {
        (mode, gasWanted) = (mode_, gasWanted_);
    }

    /// @inheritdoc IPriceSource
    function latest() external view returns (uint256, uint256, uint256) {
        uint256 available = gasleft();
        Mode mode_ = mode;
        if (mode_ == Mode.Revert) revert HostileSource_Down();
        if (mode_ == Mode.BurnGas) {
            while (true) {}
        }
        if (mode_ == Mode.GasDependent && available < gasWanted) revert HostileSource_Down();
        if (mode_ == Mode.ReturnBomb) {
            assembly {
                return(0, BOMB_BYTES)
            }
        }
        if (mode_ == Mode.RevertBomb) {
            assembly {
                revert(0, BOMB_BYTES)
            }
        }
        if (mode_ == Mode.ShortAnswer) {
            uint256 price = _price;
            assembly {
                mstore(0, price)
                return(0, 64)
            }
        }
        return (_price, _confidence, _publishedAt);
    }
}
