/** How large the first disk of a machine is made where nobody says so. */
const GIB = 1024 ** 3;

/** Besides what its image brings. */
const USUAL_FREE_BYTES = 2 * GIB;
/** Systems grow: a disk that is full after the first update is no default. */
const USUAL_BYTES = 10 * GIB;

const wholeGib = (bytes: number): number => Math.ceil(bytes / GIB) * GIB;

interface ImageSize {
  /** What it shows to a guest; 0: it is none, or no disk. */
  virtualBytes: number;
  /** What its system asks for at least. */
  minDiskBytes: number | null;
}

/**
 * @param freeBytes how much there is to be besides what the image brings; without it, what is usual
 * @returns bytes; whole gibibytes
 */
export function proposedDiskBytes({ virtualBytes, minDiskBytes }: ImageSize, freeBytes?: number): number {
  const least = minDiskBytes ?? 0;
  return freeBytes === undefined
    ? wholeGib(Math.max(USUAL_BYTES, least, virtualBytes + USUAL_FREE_BYTES))
    : wholeGib(Math.max(least, virtualBytes + freeBytes, 1));
}
