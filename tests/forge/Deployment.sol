// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";
import {ICircuitBreaker} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {ILedgerVault} from "../../contracts/interfaces/ILedgerVault.sol";
import {ILiquidationEngine} from "../../contracts/interfaces/ILiquidationEngine.sol";
import {IMarginEngine} from "../../contracts/interfaces/IMarginEngine.sol";
import {IOracleAggregator} from "../../contracts/interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../../contracts/interfaces/IPegMonitor.sol";
import {IPerpExchange} from "../../contracts/interfaces/IPerpExchange.sol";
import {IRiskEngine} from "../../contracts/interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {AssetId} from "../../contracts/types/AssetId.sol";
import {AccountId, AccountIdLib} from "../../contracts/types/Ids.sol";
import {VM} from "./Vm.sol";

/// @notice A feed that its operator sets.
interface IDevFeed is IAggregatorV3 {
    function setAnswer(int256 answer) external;
}

/// @notice What is deployed in the loaded state, and who plays.
/// @param custody Address of the collateral vault.
/// @param vaults The pool and the insurance fund.
/// @param tokens By collateral id.
/// @param cashScale WAD per token unit of the settlement token.
/// @param assets The one that the peg is measured by comes last.
/// @param feeds By asset.
/// @param accounts Of every player, those of the keeper last.
/// @param actors Traders and liquidity providers.
/// @param people Everybody who may hold a vault's shares, the actors first.
/// @param operator Owner of the feeds.
struct Deployment {
    IOracleAggregator oracle;
    IPegMonitor pegMonitor;
    IRiskParameters parameters;
    ICircuitBreaker breaker;
    IMarginEngine engine;
    IRiskEngine risk;
    IPerpExchange exchange;
    ILiquidationEngine liquidation;
    address custody;
    ILedgerVault[2] vaults;
    IERC20Metadata[] tokens;
    uint256 cashScale;
    AssetId[] assets;
    AssetId peg;
    IDevFeed[2][] feeds;
    AccountId[] accounts;
    address[] actors;
    address[] people;
    address keeper;
    address guardian;
    address operator;
    uint256 markets;
}

/// @notice Loads what `python -m bulkhead.bench.forge_state` wrote.
library DeploymentLoader {
    uint256 internal constant SUB_ACCOUNTS = 2;

    /// @dev Replaces the state of the test's chain; returns what is on it.
    function load() internal returns (Deployment memory d) {
        VM.loadAllocs(string.concat(_folder(), "/allocs.json"));
        string memory json = text();
        VM.roll(VM.parseJsonUint(json, ".number"));
        VM.warp(VM.parseJsonUint(json, ".timestamp"));
        _contracts(d, json);
        _people(d, json);
        _assets(d, json);
    }

    /// @dev How many of a handler's function there are among what forge chooses from.
    function countOf(string memory json, string memory handlerFunction)
        internal
        pure
        returns (uint256)
    {
        return VM.parseJsonUint(json, string.concat(".functions.", handlerFunction));
    }

    function text() internal view returns (string memory) {
        return VM.readFile(string.concat(_folder(), "/deployment.json"));
    }

    function _folder() private view returns (string memory) {
        return VM.envOr("BULKHEAD_FORGE_STATE", ".build/forge");
    }

    function _contracts(Deployment memory d, string memory json) private pure {
        d.oracle = IOracleAggregator(_contract(json, "OracleAggregator"));
        d.pegMonitor = IPegMonitor(_contract(json, "PegMonitor"));
        d.parameters = IRiskParameters(_contract(json, "RiskParameters"));
        d.breaker = ICircuitBreaker(_contract(json, "CircuitBreaker"));
        d.engine = IMarginEngine(_contract(json, "MarginEngine"));
        d.risk = IRiskEngine(_contract(json, "RiskEngine"));
        d.exchange = IPerpExchange(_contract(json, "PerpExchange"));
        d.liquidation = ILiquidationEngine(_contract(json, "LiquidationEngine"));
        d.custody = _contract(json, "CollateralVault");
        d.vaults[0] = ILedgerVault(_contract(json, "LiquidityVault"));
        d.vaults[1] = ILedgerVault(_contract(json, "InsuranceFund"));
        d.markets = VM.parseJsonUint(json, ".markets");
    }

    function _people(Deployment memory d, string memory json) private pure {
        d.actors = VM.parseJsonAddressArray(json, ".actors");
        d.people = VM.parseJsonAddressArray(json, ".people");
        d.keeper = VM.parseJsonAddress(json, ".keeper");
        d.guardian = VM.parseJsonAddress(json, ".guardian");
        d.operator = VM.parseJsonAddress(json, ".operator");
        d.accounts = new AccountId[]((d.actors.length + 1) * SUB_ACCOUNTS);
        for (uint256 i; i < d.accounts.length; i++) {
            uint256 player = i / SUB_ACCOUNTS;
            address owner = player < d.actors.length ? d.actors[player] : d.keeper;
            d.accounts[i] = AccountIdLib.pack(owner, uint96(i % SUB_ACCOUNTS));
        }
    }

    function _assets(Deployment memory d, string memory json) private view {
        address[] memory tokens = VM.parseJsonAddressArray(json, ".tokens");
        d.tokens = new IERC20Metadata[](tokens.length);
        for (uint256 i; i < tokens.length; i++) {
            d.tokens[i] = IERC20Metadata(tokens[i]);
        }
        d.cashScale = 10 ** (18 - d.tokens[0].decimals());
        bytes32[] memory assets = VM.parseJsonBytes32Array(json, ".assets");
        address[] memory feeds = VM.parseJsonAddressArray(json, ".feeds");
        d.assets = new AssetId[](assets.length);
        d.feeds = new IDevFeed[2][](assets.length);
        for (uint256 i; i < assets.length; i++) {
            d.assets[i] = AssetId.wrap(assets[i]);
            d.feeds[i] = [IDevFeed(feeds[2 * i]), IDevFeed(feeds[2 * i + 1])];
        }
        d.peg = AssetId.wrap(VM.parseJsonBytes32Array(json, ".pegs")[0]);
    }

    function _contract(string memory json, string memory name) private pure returns (address) {
        return VM.parseJsonAddress(json, string.concat(".contracts.", name));
    }
}
