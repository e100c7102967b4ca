// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Market, MarketPhase} from "../types/Market.sol";

/// @notice Reads and writes a market slot by slot, in the layout of the struct.
/// @dev The compiler reads and writes a packed slot once for every field.
library MarketStorage {
    function load(Market storage from) internal view returns (Market memory m) {
        uint256 sizes;
        uint256 rates;
        uint256 funding;
        int256 product;
        assembly ("memory-safe") {
            let slot := from.slot
            sizes := sload(slot)
            rates := sload(add(slot, 1))
            funding := sload(add(slot, 2))
            product := sload(add(slot, 3))
        }
        m.openInterestLong = uint128(sizes);
        m.openInterestShort = uint128(sizes >> 128);
        m.quote = int128(uint128(rates));
        m.fundingRate = int64(uint64(rates >> 128));
        m.fundingUpdatedAt = uint40(rates >> 192);
        m.fundingGain = uint16(rates >> 232);
        m.phase = MarketPhase(uint8(rates >> 248));
        m.cumulativeFundingPerUnit = int128(uint128(funding));
        m.matchedPremium = int64(uint64(funding >> 128));
        m.matchedPremiumEndsAt = uint40(funding >> 192);
        m.fundingEntryProduct = product;
    }

    function save(Market storage to, Market memory m) internal {
        uint256 sizes = uint256(m.openInterestLong) | uint256(m.openInterestShort) << 128;
        uint256 rates = uint256(uint128(m.quote)) | uint256(uint64(m.fundingRate)) << 128
            | uint256(m.fundingUpdatedAt) << 192 | uint256(m.fundingGain) << 232 | uint256(m.phase)
            << 248;
        uint256 funding = uint256(uint128(m.cumulativeFundingPerUnit))
            | uint256(uint64(m.matchedPremium)) << 128 | uint256(m.matchedPremiumEndsAt) << 192;
        int256 product = m.fundingEntryProduct;
        assembly ("memory-safe") {
            let slot := to.slot
            sstore(slot, sizes)
            sstore(add(slot, 1), rates)
            sstore(add(slot, 2), funding)
            sstore(add(slot, 3), product)
        }
    }
}
