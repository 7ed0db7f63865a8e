/** What disks and network cards machines have. virtio: the fast ones, which the guest needs drivers for. common: SATA disks and Intel cards (e1000e), which every system knows. */
export const VM_DEVICES = ['virtio', 'common'] as const;
export type VmDevices = (typeof VM_DEVICES)[number];
/** In the descriptor of a machine that is given away: the hardware in it is what others can give it. */
export const HAD_VIRTIO = 'Its disks and network cards were virtio devices.';
