// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The wiring of one compartment. Every contract gets the same struct in its constructor and keeps the
/// addresses that it needs as immutables: nothing can be rewired afterwards.
/// @dev Roles, oracle and peg monitor are shared between compartments; the rest belongs to this one alone.
struct Compartment {
    address settlementToken;
    address roles;
    address oracle;
    address pegMonitor;
    address riskParameters;
    address circuitBreaker;
    address collateralVault;
    address riskEngine;
    address accountOperators;
    address marginEngine;
    address perpExchange;
    address liquidityVault;
    address insuranceFund;
    address liquidationEngine;
    address delayedOrders;
}
