// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILedgerVault} from "../interfaces/ILedgerVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {CompartmentLocked} from "./CompartmentLocked.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice Implements `ILedgerVault`, where every function is documented.
/// @dev What differs between the pool and the insurance fund is what a share is worth to one who enters and to
/// one who leaves, and where the money is booked. Entering uses the higher of the two values, leaving the lower.
abstract contract LedgerVault is ILedgerVault, ERC4626, CompartmentLocked {
    using SafeERC20 for IERC20;

    /// @dev Virtual shares per virtual asset unit: makes inflating the first share cost 10^6 times what it takes.
    uint8 internal constant DECIMALS_OFFSET = 6;

    IMarginEngine internal immutable _marginEngine;
    ICircuitBreaker internal immutable _circuitBreaker;
    address internal immutable _collateralVault;
    uint8 internal immutable _assetDecimals;
    Action internal immutable _enterAction;
    Action internal immutable _leaveAction;

    constructor(
        Compartment memory wiring,
        string memory name_,
        string memory symbol_,
        Action enterAction,
        Action leaveAction
    )
        ERC20(name_, symbol_)
        ERC4626(IERC20(wiring.settlementToken))
        CompartmentLocked(wiring.marginEngine)
    {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _collateralVault = wiring.collateralVault;
        _assetDecimals = IERC20Metadata(wiring.settlementToken).decimals();
        _enterAction = enterAction;
        _leaveAction = leaveAction;
    }

    // ------------------------------------------------------------------ what a vault defines

    /// @dev Token units that all shares together are worth to one who enters, rounded up.
    function _enterValue() internal view virtual returns (uint256);

    /// @dev Token units that all shares together are worth to one who leaves, rounded down.
    function _leaveValue() internal view virtual returns (uint256);

    /// @dev Whether shares may be bought at all now.
    function _isOpen() internal view virtual returns (bool);

    /// @dev Whether the values rest on prices good enough to trade shares on.
    function _isPriced() internal view virtual returns (bool);

    /// @dev Brings whatever the values depend on up to date; called under the lock.
    function _refresh() internal virtual;

    /// @dev Books token units that have arrived in custody.
    function _book(uint256 amountTokens) internal virtual;

    /// @dev Pays token units out of custody.
    function _pay(uint256 amountTokens, address receiver) internal virtual;

    // ------------------------------------------------------------------ state-changing

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 shares)
    {
        _beforeEntering();
        uint256 limit = _maxDeposit();
        if (assets > limit) revert ERC4626ExceededMaxDeposit(receiver, assets, limit);
        shares = _toShares(assets, _enterValue(), Math.Rounding.Floor);
        _enterVault(receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 assets)
    {
        _beforeEntering();
        uint256 limit = _maxMint();
        if (shares > limit) revert ERC4626ExceededMaxMint(receiver, shares, limit);
        assets = _toAssets(shares, _enterValue(), Math.Rounding.Ceil);
        _enterVault(receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 shares)
    {
        _refresh();
        uint256 limit = _maxWithdraw(owner);
        if (assets > limit) revert ERC4626ExceededMaxWithdraw(owner, assets, limit);
        shares = _toShares(assets, _leaveValue(), Math.Rounding.Ceil);
        _leaveVault(receiver, owner, assets, shares);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 assets)
    {
        _refresh();
        uint256 limit = _maxRedeem(owner);
        if (shares > limit) revert ERC4626ExceededMaxRedeem(owner, shares, limit);
        assets = _toAssets(shares, _leaveValue(), Math.Rounding.Floor);
        _leaveVault(receiver, owner, assets, shares);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC4626
    /// @dev What leaving shares are worth: the value that can be relied on.
    function totalAssets() public view override(ERC4626, IERC4626) whenUnlocked returns (uint256) {
        return _leaveValue();
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _maxDeposit();
    }

    /// @inheritdoc IERC4626
    function maxMint(address)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _maxMint();
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _maxWithdraw(owner);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _maxRedeem(owner);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _toShares(assets, _enterValue(), Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _toAssets(shares, _enterValue(), Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _toShares(assets, _leaveValue(), Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        return _toAssets(shares, _leaveValue(), Math.Rounding.Floor);
    }

    // ------------------------------------------------------------------ internal

    function _beforeEntering() private {
        _circuitBreaker.requireAllowed(_enterAction);
        _refresh();
    }

    function _enterVault(address receiver, uint256 assets, uint256 shares) private {
        if (assets == 0 || shares == 0) revert LedgerVault_ZeroAmount();
        IERC20 token = IERC20(asset());
        uint256 before = token.balanceOf(_collateralVault);
        token.safeTransferFrom(msg.sender, _collateralVault, assets);
        uint256 received = token.balanceOf(_collateralVault) - before;
        // Shares were priced on what was sent.
        if (received != assets) revert LedgerVault_TransferFee(received, assets);
        _mint(receiver, shares);
        _book(assets);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    function _leaveVault(address receiver, address owner, uint256 assets, uint256 shares) private {
        if (assets == 0 || shares == 0) revert LedgerVault_ZeroAmount();
        _circuitBreaker.requireAllowed(_leaveAction);
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, shares);
        _burn(owner, shares);
        emit Withdraw(msg.sender, receiver, owner, assets, shares);
        _pay(assets, receiver);
    }

    /// @dev A thousandth of what the ledger can count: bounded, so that no deposit can overflow it for the others.
    function _maxDeposit() private view returns (uint256) {
        if (!_circuitBreaker.isAllowed(_enterAction) || !_isOpen() || !_isPriced()) return 0;
        return type(uint128).max / (1000 * 10 ** (18 - _assetDecimals));
    }

    function _maxMint() private view returns (uint256) {
        return _toShares(_maxDeposit(), _enterValue(), Math.Rounding.Floor);
    }

    function _maxWithdraw(address owner) private view returns (uint256) {
        return _toAssets(_maxRedeem(owner), _leaveValue(), Math.Rounding.Floor);
    }

    function _maxRedeem(address owner) private view returns (uint256 shares) {
        if (!_circuitBreaker.isAllowed(_leaveAction) || !_isPriced()) return 0;
        shares = balanceOf(owner);
        // Shares that pay nothing cannot be redeemed.
        if (_toAssets(shares, _leaveValue(), Math.Rounding.Floor) == 0) return 0;
    }

    function _toShares(uint256 assets, uint256 value, Math.Rounding rounding)
        private
        view
        returns (uint256)
    {
        return Math.mulDiv(assets, totalSupply() + 10 ** DECIMALS_OFFSET, value + 1, rounding);
    }

    function _toAssets(uint256 shares, uint256 value, Math.Rounding rounding)
        private
        view
        returns (uint256)
    {
        return Math.mulDiv(shares, value + 1, totalSupply() + 10 ** DECIMALS_OFFSET, rounding);
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding)
        internal
        view
        override
        whenUnlocked
        returns (uint256)
    {
        return _toShares(assets, _leaveValue(), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding)
        internal
        view
        override
        whenUnlocked
        returns (uint256)
    {
        return _toAssets(shares, _leaveValue(), rounding);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return DECIMALS_OFFSET;
    }
}
