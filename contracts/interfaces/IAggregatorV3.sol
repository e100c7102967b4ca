// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of a Chainlink feed that an adapter reads
interface IAggregatorV3 {
    /// @return Number of decimals of an answer.
    function decimals() external view returns (uint8);

    /// @return roundId Number of the round.
    /// @return answer Quote units per 1.0 of base, at the feed's decimals.
    /// @return startedAt Unix seconds at which the round started.
    /// @return updatedAt Unix seconds at which the answer was formed; zero while the round is incomplete.
    /// @return answeredInRound Round in which the answer was formed; behind `roundId` if it was carried over.
    function latestRoundData()
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );
}
