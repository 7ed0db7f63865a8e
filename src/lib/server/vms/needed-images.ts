/** Which images have to stay for a machine. Pure. */
import type { Image } from '$lib/shared/wire/images';
import type { VmRecord } from './store';

type Needs = Pick<VmRecord, 'disk' | 'imageId' | 'spec'>;

/** Its disk lies above it or is it, or it is in its drive. */
export const needsImage = ({ disk, imageId, spec }: Needs, image: Pick<Image, 'id' | 'path'>): boolean =>
  (disk === 'overlay' && imageId === image.id) ||
  (spec.cdPath !== null && spec.cdPath === image.path) ||
  (image.path !== null && (spec.adopted?.needs ?? []).includes(image.path)) ||
  (image.path !== null && (spec.adopted?.disks ?? []).some(({ path }) => path === image.path));
