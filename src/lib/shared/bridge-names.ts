/** What bridges of the host may be called, and which VLANs there are. */
/** The kernel takes 15 bytes; ip(8) and the configuration are given names of this form only. */
export const BRIDGE_NAME = /^[a-z][a-z0-9-]{1,14}$/;
/** IEEE 802.1Q: 0 and 4095 are reserved. */
export const VLAN_MIN = 1;
export const VLAN_MAX = 4094;
