/** What machines start by. uefi-secure: UEFI that starts only what is signed by a key that it knows (secure boot). */
export const FIRMWARE_KINDS = ['bios', 'uefi', 'uefi-secure'] as const;
export type FirmwareKind = (typeof FIRMWARE_KINDS)[number];
