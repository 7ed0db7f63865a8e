/** A disk image that lies within another file, as in an OVA: read where it is, without unpacking it. */

/** A piece of a file. */
export interface Within {
  offsetBytes: number;
  sizeBytes: number;
}
/** How qemu-img is told of an image within another file: a vmdk, whatever is in it. No word of it is left to be guessed. */
export const imageWithin = (path: string, { offsetBytes, sizeBytes }: Within): string =>
  `json:${JSON.stringify({
    driver: 'vmdk',
    file: {
      ...{ driver: 'raw', offset: offsetBytes, size: sizeBytes },
      file: { driver: 'file', filename: path },
    },
  })}`;
