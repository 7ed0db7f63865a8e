/** What a new machine can begin as. */
import type { Image } from '$lib/shared/wire/images';

/** In place of an image: the disk is empty. */
export const NO_IMAGE = 'none';

/** Others are shown with the reason. */
export const canStart = (image: Image): boolean =>
  image.badge === 'ready' && (['qcow2', 'raw', 'iso'].includes(image.format ?? '') || image.machine !== null);
