// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {ICompartmentLock} from "../interfaces/ICompartmentLock.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals, MarketUnrealized, UnrealizedTotals} from "../types/Ledger.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @notice Wiring, storage and lock of the margin engine.
abstract contract MarginBase is IMarginEngine {
    /// @dev Id of the settlement token, whose balance is `cash`.
    uint8 internal constant SETTLEMENT = 0;

    address internal immutable _settlementToken;
    uint8 internal immutable _settlementDecimals;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    ICollateralVault internal immutable _collateralVault;
    IRiskEngine internal immutable _riskEngine;
    address internal immutable _perpExchange;
    address internal immutable _liquidityVault;
    address internal immutable _insuranceFund;
    address internal immutable _liquidationEngine;
    address internal immutable _signedOrders;
    address internal immutable _delayedOrders;

    /// @dev The compartment's lock. Transient: a reverted or finished transaction cannot leave it taken.
    bool internal transient _entered;

    LedgerTotals internal _totals;
    UnrealizedTotals internal _unrealizedTotals;
    mapping(AccountId account => AccountLedger) internal _accounts;
    /// @dev Token units.
    mapping(AccountId account => mapping(CollateralId collateral => uint256)) internal _collateral;
    /// @dev Token units: sum of `_collateral` over accounts.
    mapping(CollateralId collateral => uint256) internal _totalCollateral;
    mapping(MarketId market => MarketUnrealized) internal _unrealized;

    /// @dev For entry points of users: takes the lock.
    modifier locked() {
        _enter();
        _;
        _entered = false;
    }

    /// @dev For calls from another part of the compartment, which holds the lock already.
    modifier only(address part) {
        _requirePart(part);
        _;
    }

    /// @dev A view taken from a callback in the middle of a call would see a half-finished state.
    modifier consistent() {
        if (_entered && !_isPart(msg.sender)) revert CompartmentLock_Locked();
        _;
    }

    constructor(Compartment memory wiring) {
        _settlementToken = wiring.settlementToken;
        _settlementDecimals = IERC20Metadata(wiring.settlementToken).decimals();
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _collateralVault = ICollateralVault(wiring.collateralVault);
        _riskEngine = IRiskEngine(wiring.riskEngine);
        _perpExchange = wiring.perpExchange;
        _liquidityVault = wiring.liquidityVault;
        _insuranceFund = wiring.insuranceFund;
        _liquidationEngine = wiring.liquidationEngine;
        _signedOrders = wiring.signedOrders;
        _delayedOrders = wiring.delayedOrders;
    }

    /// @inheritdoc ICompartmentLock
    function enter() external {
        if (!_isPart(msg.sender)) revert CompartmentLock_NotAuthorized(msg.sender);
        _enter();
    }

    /// @inheritdoc ICompartmentLock
    function exit() external {
        if (!_isPart(msg.sender)) revert CompartmentLock_NotAuthorized(msg.sender);
        _entered = false;
    }

    /// @inheritdoc ICompartmentLock
    function isLocked() external view returns (bool) {
        return _entered;
    }

    function _enter() internal {
        if (_entered) revert CompartmentLock_Locked();
        _entered = true;
    }

    function _requirePart(address part) internal view {
        if (msg.sender != part) revert CompartmentLock_NotAuthorized(msg.sender);
    }

    function _isPart(address caller) internal view returns (bool) {
        return caller == _perpExchange || caller == _liquidationEngine || caller == _liquidityVault
            || caller == _insuranceFund || caller == _delayedOrders;
    }
}
