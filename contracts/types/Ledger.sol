// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The compartment's side of the clearing ledger. WAD of the settlement token; three slots.
/// @param principal P: Σ max(cash, 0), the senior claims.
/// @param debt D: Σ max(−cash, 0), what accounts owe the pool.
/// @param claims J: Σ claim, realised profit that is not cash yet.
/// @param poolCash L: cash that backs the junior claims and belongs to the liquidity providers after them.
/// @param insuranceCash I: cash of the insurance fund.
/// @param feeReserve F: collected fees that are not distributed yet; pays keepers.
struct LedgerTotals {
    uint128 principal;
    uint128 debt;
    uint128 claims;
    uint128 poolCash;
    uint128 insuranceCash;
    uint128 feeReserve;
}

/// @notice One account's side of the clearing ledger. Two slots.
/// @param cash WAD, ≥ 0: principal; < 0: debt to the pool. Never below zero while `claim` is above zero.
/// @param claim WAD, junior profit claim.
/// @param unvested WAD part of `claim` that had not vested at `vestingUpdatedAt`.
/// @param vestingUpdatedAt Unix seconds from which the rest vests linearly …
/// @param vestingEndsAt … until these Unix seconds.
/// @param collateralMask Bit i is set while the account holds collateral i.
/// @param raisingOrders Open delayed orders that may raise risk.
struct AccountLedger {
    int128 cash;
    uint128 claim;
    uint128 unvested;
    uint40 vestingUpdatedAt;
    uint40 vestingEndsAt;
    uint16 collateralMask;
    uint32 raisingOrders;
}

/// @notice What the traders of a market are ahead of the pool, U_m, as last refreshed. One slot.
/// @param unrealized WAD: what closing every position would pay, > 0: the pool owes.
/// @param updatedAt Unix seconds; 0: the market was never touched.
struct MarketUnrealized {
    int128 unrealized;
    uint40 updatedAt;
}

/// @notice Sums over markets. One slot.
/// @param positive WAD: U⁺ = Σ max(0, U_m).
/// @param net WAD: Σ U_m.
struct UnrealizedTotals {
    uint128 positive;
    int128 net;
}

/// @notice What debt has cost since the compartment began, and what it costs now. Two slots.
/// @param index RAY (1e27): what a debt of 1 from the beginning has grown to at `updatedAt`.
/// @param rate WAD per day from then on; 0 while nobody owes.
/// @param updatedAt Unix seconds.
/// @param scaledDebt Σ ⌈debt · 1e45 / index⌉ over accounts, each debt and index as last booked: times the index
/// of a moment, it is what all accounts owe together at that moment.
struct BorrowState {
    uint128 index;
    uint64 rate;
    uint40 updatedAt;
    uint256 scaledDebt;
}

/// @notice Shares of a vault that their owner wants to redeem. One slot.
/// @param shares Raw shares; 0: there is no request.
/// @param unlocksAt Unix seconds of the first second in which they can be redeemed.
/// @param expiresAt Unix seconds of the last one.
struct ExitRequest {
    uint176 shares;
    uint40 unlocksAt;
    uint40 expiresAt;
}

/// @notice How a loss or fee was met, in the order of use for a loss (a fee uses cash before claim).
/// @param fromClaim WAD of junior claim burned.
/// @param fromCash WAD of cash moved to pool or fee reserve.
/// @param toDebt WAD that became debt.
struct ChargeSplit {
    uint256 fromClaim;
    uint256 fromCash;
    uint256 toDebt;
}

/// @notice Receipt of a write-off: `insurance + backstop + pool + junior == debt`.
/// @param debt WAD of the account's debt that was written off, after claim, cash and collateral were used up.
/// @param insurance WAD paid to the pool by the insurance fund.
/// @param backstop WAD paid by the shared backstop (none is connected to a compartment yet: always 0).
/// @param pool WAD by which the liquidity providers' equity fell.
/// @param junior WAD that the junior claims bear through a lower haircut ratio.
struct WriteOffReceipt {
    uint256 debt;
    uint256 insurance;
    uint256 backstop;
    uint256 pool;
    uint256 junior;
}
