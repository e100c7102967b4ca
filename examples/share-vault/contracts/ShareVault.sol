// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

interface IAsset {
    function decimals() external view returns (uint8);
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// @title A minimal ERC-4626 vault
/// @notice Shares of a pot of one ERC-20 token. One virtual share and one virtual unit of the asset
/// take part in every conversion, so that a donation before the first deposit gains nothing. Every
/// division rounds in favour of those who stay. All amounts are raw units of their token.
contract ShareVault {
    string public constant name = "Share Vault";
    string public constant symbol = "svAST";
    uint8 public immutable decimals;
    address public immutable asset;

    uint256 public totalSupply;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Deposit(address indexed caller, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed caller,
        address indexed receiver,
        address indexed owner,
        uint256 assets,
        uint256 shares
    );

    error ShareVaultZeroShares(uint256 assets);
    error ShareVaultZeroAssets(uint256 shares);
    error ShareVaultZeroReceiver();
    error ShareVaultInsufficientShares(address owner, uint256 balance, uint256 needed);
    error ShareVaultInsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ShareVaultAssetTransferFailed();

    constructor(address asset_) {
        asset = asset_;
        decimals = IAsset(asset_).decimals();
    }

    // ---------------------------------------------------------------- in and out

    /// @notice Pays in exactly `assets`; returns the shares that `receiver` gets.
    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        shares = previewDeposit(assets);
        _enter(assets, shares, receiver);
    }

    /// @notice Gives `receiver` exactly `shares`; returns the assets paid in.
    function mint(uint256 shares, address receiver) external returns (uint256 assets) {
        assets = previewMint(shares);
        _enter(assets, shares, receiver);
    }

    /// @notice Pays out exactly `assets`; returns the shares that `owner` gives up.
    function withdraw(uint256 assets, address receiver, address owner)
        external
        returns (uint256 shares)
    {
        shares = previewWithdraw(assets);
        _leave(assets, shares, receiver, owner);
    }

    /// @notice Gives up exactly `shares` of `owner`; returns the assets paid out.
    function redeem(uint256 shares, address receiver, address owner)
        external
        returns (uint256 assets)
    {
        assets = previewRedeem(shares);
        _leave(assets, shares, receiver, owner);
    }

    // ---------------------------------------------------------------- shares as a token

    /// @notice Lets `spender` use up to `value` shares of the caller; the highest number is no limit.
    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// @notice Moves `value` shares of the caller to `to`.
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    /// @notice Moves `value` shares of `from`, who allowed it, to `to`.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _useAllowance(from, value);
        _move(from, to, value);
        return true;
    }

    // ---------------------------------------------------------------- views

    /// @notice Assets in the pot.
    function totalAssets() public view returns (uint256) {
        return IAsset(asset).balanceOf(address(this));
    }

    /// @notice Assets in the pot and shares in existence, which together are the price.
    function totals() external view returns (uint256 assets, uint256 shares) {
        return (totalAssets(), totalSupply);
    }

    function convertToShares(uint256 assets) public view returns (uint256) {
        return assets * (totalSupply + 1) / (totalAssets() + 1);
    }

    function convertToAssets(uint256 shares) public view returns (uint256) {
        return shares * (totalAssets() + 1) / (totalSupply + 1);
    }

    function previewDeposit(uint256 assets) public view returns (uint256) {
        return convertToShares(assets);
    }

    function previewMint(uint256 shares) public view returns (uint256) {
        return _divideUp(shares * (totalAssets() + 1), totalSupply + 1);
    }

    function previewWithdraw(uint256 assets) public view virtual returns (uint256) {
        return _divideUp(assets * (totalSupply + 1), totalAssets() + 1);
    }

    function previewRedeem(uint256 shares) public view returns (uint256) {
        return convertToAssets(shares);
    }

    function maxDeposit(address) external pure returns (uint256) {
        return type(uint256).max;
    }

    function maxMint(address) external pure returns (uint256) {
        return type(uint256).max;
    }

    function maxWithdraw(address owner) external view returns (uint256) {
        return convertToAssets(balanceOf[owner]);
    }

    function maxRedeem(address owner) external view returns (uint256) {
        return balanceOf[owner];
    }

    // ---------------------------------------------------------------- inside

    function _enter(uint256 assets, uint256 shares, address receiver) private {
        if (shares == 0) revert ShareVaultZeroShares(assets);
        if (receiver == address(0)) revert ShareVaultZeroReceiver();
        if (!IAsset(asset).transferFrom(msg.sender, address(this), assets)) {
            revert ShareVaultAssetTransferFailed();
        }
        totalSupply += shares;
        balanceOf[receiver] += shares;
        emit Transfer(address(0), receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    function _leave(uint256 assets, uint256 shares, address receiver, address owner) private {
        if (assets == 0) revert ShareVaultZeroAssets(shares);
        if (receiver == address(0)) revert ShareVaultZeroReceiver();
        _useAllowance(owner, shares);
        _take(owner, shares);
        totalSupply -= shares;
        if (!IAsset(asset).transfer(receiver, assets)) revert ShareVaultAssetTransferFailed();
        emit Transfer(owner, address(0), shares);
        emit Withdraw(msg.sender, receiver, owner, assets, shares);
    }

    function _move(address from, address to, uint256 value) private {
        if (to == address(0)) revert ShareVaultZeroReceiver();
        _take(from, value);
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function _take(address owner, uint256 value) private {
        uint256 balance = balanceOf[owner];
        if (balance < value) revert ShareVaultInsufficientShares(owner, balance, value);
        balanceOf[owner] = balance - value;
    }

    function _useAllowance(address owner, uint256 value) private {
        if (msg.sender == owner) return;
        uint256 allowed = allowance[owner][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < value) revert ShareVaultInsufficientAllowance(msg.sender, allowed, value);
        allowance[owner][msg.sender] = allowed - value;
    }

    function _divideUp(uint256 numerator, uint256 denominator) internal pure returns (uint256) {
        return (numerator + denominator - 1) / denominator;
    }
}
