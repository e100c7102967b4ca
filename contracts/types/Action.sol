// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Everything a user or keeper can do to a compartment, as the circuit breaker and the price
/// policy see it. The numbers index the bits of both tables: append only.
enum Action {
    Deposit,
    Withdraw,
    IncreasePosition,
    ReducePosition,
    Convert,
    Liquidate,
    TakeAuction,
    WriteOff,
    PoolDeposit,
    PoolWithdraw,
    FundDeposit,
    FundWithdraw,
    Transfer
}
