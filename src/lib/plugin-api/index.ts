/** All that a plugin may import: `import { defineStoragePlugin, select, ... } from '$lib/plugin-api'`. */
export * from './check';
export { boolean, integer, secret, select, text, type Field, type Fields, type OptionsOf } from './fields';
export * from './identity-file';
export * from './identity-steps';
export * from './partitions';
export * from './plan';
export * from './steps';
export * from './storage';
export { defineParser, ParseError, type Parser } from './parse';
export * from './found-steps';
export * from './vm';
export * from './vm-found';
export * from './vm-boot';
export * from './vm-extras';
export * from './vm-stop-time';
export { xml, xmlText, type XmlNode } from './xml';
export { childOf, childrenOf, parseXml } from './parse-xml';
