import { AppError } from '../errors';
import type { ImageDeps } from './deps';

/** @throws AppError image_in_use: machines cannot be without it */
export function refuseNeeded({ neededBy }: ImageDeps, { id }: { id: string }): void {
  const names = neededBy?.(id) ?? [];
  if (names.length > 0)
    throw new AppError('image_in_use', `The disks of ${names.join(', ')} hold only what differs from it.`);
}
