// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILedgerVault} from "../interfaces/ILedgerVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {ExitRequests} from "./ExitRequests.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice Implements `ILedgerVault`, where every function is documented.
/// @dev What differs between the pool and the insurance fund is what a share is worth to one who enters and to
/// one who leaves, how much may leave, and where the money is booked. Entering uses the higher of the two values,
/// leaving the lower.
abstract contract LedgerVault is ExitRequests {
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
        ExitRequests(wiring.marginEngine)
    {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _collateralVault = wiring.collateralVault;
        _assetDecimals = IERC20Metadata(wiring.settlementToken).decimals();
        _enterAction = enterAction;
        _leaveAction = leaveAction;
    }

    // ------------------------------------------------------------------ what a vault defines

    /// @dev For one who enters.
    /// @param isStrict Whether to revert, naming what is wrong, if the value rests on a price that is not firm.
    /// @return value Token units that all shares together are worth, rounded up.
    /// @return isOpen Whether shares may be bought at all now.
    function _enterValue(bool isStrict) internal view virtual returns (uint256 value, bool isOpen);

    /// @dev For one who leaves; see `_enterValue`.
    /// @return value Token units that all shares together are worth, rounded down.
    /// @return free Token units that may leave now, whoever's they are.
    function _leaveValue(bool isStrict) internal view virtual returns (uint256 value, uint256 free);

    /// @dev Brings what others read of what leaving rests on up to date; called under the lock.
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
        _circuitBreaker.requireAllowed(_enterAction);
        (uint256 value, bool isOpen) = _enterValue(true);
        uint256 limit = isOpen ? _mostAssets() : 0;
        if (assets > limit) revert ERC4626ExceededMaxDeposit(receiver, assets, limit);
        shares = _toShares(assets, value, Math.Rounding.Floor);
        _enterVault(receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 assets)
    {
        _circuitBreaker.requireAllowed(_enterAction);
        (uint256 value, bool isOpen) = _enterValue(true);
        uint256 limit = isOpen ? _toShares(_mostAssets(), value, Math.Rounding.Floor) : 0;
        if (shares > limit) revert ERC4626ExceededMaxMint(receiver, shares, limit);
        assets = _toAssets(shares, value, Math.Rounding.Ceil);
        _enterVault(receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 shares)
    {
        (uint256 cooled, uint256 value, uint256 free) = _beforeLeaving(owner);
        uint256 limit = _toAssets(cooled, value, Math.Rounding.Floor);
        if (assets > limit) {
            revert ERC4626ExceededMaxWithdraw(owner, assets, Math.min(limit, free));
        }
        shares = _toShares(assets, value, Math.Rounding.Ceil);
        _leaveVault(receiver, owner, assets, shares, free);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        locked
        returns (uint256 assets)
    {
        (uint256 cooled, uint256 value, uint256 free) = _beforeLeaving(owner);
        // Shares that pay nothing cannot be redeemed.
        if (_toAssets(cooled, value, Math.Rounding.Floor) == 0) cooled = 0;
        if (shares > cooled) {
            revert ERC4626ExceededMaxRedeem(owner, shares, _within(cooled, value, free));
        }
        assets = _toAssets(shares, value, Math.Rounding.Floor);
        _leaveVault(receiver, owner, assets, shares, free);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC4626
    /// @dev What leaving shares are worth: the value that can be relied on.
    function totalAssets()
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256 value)
    {
        (value,) = _leaveValue(false);
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        if (!_circuitBreaker.isAllowed(_enterAction)) return 0;
        (, bool isOpen) = _enterValue(false);
        return isOpen ? _mostAssets() : 0;
    }

    /// @inheritdoc IERC4626
    function maxMint(address)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        if (!_circuitBreaker.isAllowed(_enterAction)) return 0;
        (uint256 value, bool isOpen) = _enterValue(false);
        return isOpen ? _toShares(_mostAssets(), value, Math.Rounding.Floor) : 0;
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        if (!_circuitBreaker.isAllowed(_leaveAction)) return 0;
        (uint256 value, uint256 free) = _leaveValue(false);
        return Math.min(_toAssets(_cooled(owner), value, Math.Rounding.Floor), free);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        if (!_circuitBreaker.isAllowed(_leaveAction)) return 0;
        (uint256 value, uint256 free) = _leaveValue(false);
        return _within(_cooled(owner), value, free);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        (uint256 value,) = _enterValue(false);
        return _toShares(assets, value, Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        (uint256 value,) = _enterValue(false);
        return _toAssets(shares, value, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        (uint256 value,) = _leaveValue(false);
        return _toShares(assets, value, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares)
        public
        view
        override(ERC4626, IERC4626)
        whenUnlocked
        returns (uint256)
    {
        (uint256 value,) = _leaveValue(false);
        return _toAssets(shares, value, Math.Rounding.Floor);
    }

    // ------------------------------------------------------------------ internal

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

    function _beforeLeaving(address owner)
        private
        returns (uint256 cooled, uint256 value, uint256 free)
    {
        _circuitBreaker.requireAllowed(_leaveAction);
        cooled = _requireCooled(owner);
        _refresh();
        (value, free) = _leaveValue(true);
    }

    function _leaveVault(
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares,
        uint256 free
    ) private {
        if (assets == 0 || shares == 0) revert LedgerVault_ZeroAmount();
        if (assets > free) revert LedgerVault_Coverage(assets, free);
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, shares);
        _useRequest(owner, shares);
        _burn(owner, shares);
        emit Withdraw(msg.sender, receiver, owner, assets, shares);
        _pay(assets, receiver);
    }

    /// @dev A thousandth of what the ledger can count: bounded, so that no deposit can overflow it for the others.
    function _mostAssets() private view returns (uint256) {
        return type(uint128).max / (1000 * 10 ** (18 - _assetDecimals));
    }

    /// @dev The most of `shares` that pay no more than `free`, or none if those pay nothing. ⌊s · a / b⌋ ≤ free holds up to s = ⌈(free + 1) · b / a⌉ − 1.
    function _within(uint256 shares, uint256 value, uint256 free) private view returns (uint256) {
        if (_toAssets(shares, value, Math.Rounding.Floor) > free) {
            shares = _toShares(free + 1, value, Math.Rounding.Ceil) - 1;
        }
        return _toAssets(shares, value, Math.Rounding.Floor) == 0 ? 0 : shares;
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
        (uint256 value,) = _leaveValue(false);
        return _toShares(assets, value, rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding)
        internal
        view
        override
        whenUnlocked
        returns (uint256)
    {
        (uint256 value,) = _leaveValue(false);
        return _toAssets(shares, value, rounding);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return DECIMALS_OFFSET;
    }
}
