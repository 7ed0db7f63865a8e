import type { PoolDeps } from './deps';

/**
 * Who hears that a pool was unmounted, and asks, is not told that it is mounted: the kernel's own word of it, which everybody goes
 * by, may come later than the end of the operation.
 */
export const showMounts = ({ bus }: Pick<PoolDeps, 'bus'>): void => bus.emit('mounts.changed', {});
