/**
 * What a plugin module's default export is called with. A third-party plugin is loaded from a folder at run time and
 * cannot import the product's modules; built-in plugins get the very same object, so they prove the contract.
 */
import type * as api from './index';
import type { StoragePlugin } from './storage';
import type { VmPlugin } from './vm';

export type PluginSdk = typeof api;
export type Plugin = StoragePlugin | VmPlugin;
export type PluginModule = { default: (sdk: PluginSdk) => Plugin };
