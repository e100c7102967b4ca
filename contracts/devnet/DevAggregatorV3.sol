// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";

/// @title A Chainlink-like feed that its owner sets and may break
/// @notice For local chains only.
contract DevAggregatorV3 is IAggregatorV3, Ownable {
    enum Mode {
        Normal,
        Revert,
        BurnGas
    }

    struct Round {
        uint80 roundId;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    /// @inheritdoc IAggregatorV3
    uint8 public immutable decimals;
    string public description;
    Mode public mode;
    Round private _round;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    /// @notice Thrown by reads in the mode `Revert`.
    error DevAggregatorV3_Down();

    /// @param decimals_ Number of decimals of an answer.
    /// @param description_ Pair, such as "ETH / USD".
    constructor(uint8 decimals_, string memory description_) Ownable(msg.sender) {
        decimals = decimals_;
        description = description_;
    }

    /// @notice Publishes `answer` in a new, complete round, now. Only the owner.
    function setAnswer(int256 answer) external onlyOwner {
        uint80 roundId = _round.roundId + 1;
        _setRound(Round(roundId, answer, block.timestamp, block.timestamp, roundId));
    }

    /// @notice Publishes any round at all, consistent or not. Only the owner.
    function setRound(
        uint80 roundId,
        int256 answer,
        uint256 startedAt,
        uint256 updatedAt,
        uint80 answeredInRound
    ) external onlyOwner {
        _setRound(Round(roundId, answer, startedAt, updatedAt, answeredInRound));
    }

    /// @notice Chooses how reads behave. Only the owner.
    function setMode(Mode mode_) external onlyOwner {
        mode = mode_;
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData()
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        )
    {
        if (mode == Mode.Revert) revert DevAggregatorV3_Down();
        if (mode == Mode.BurnGas) {
            assembly {
                invalid()
            }
        }
        Round memory round = _round;
        return
            (round.roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }

    function _setRound(Round memory round) private {
        _round = round;
        emit AnswerUpdated(round.answer, round.roundId, round.updatedAt);
    }
}
