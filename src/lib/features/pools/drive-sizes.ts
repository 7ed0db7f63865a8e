/** Sizes of drives that a planner of capacity offers. */
const TB = 1e12;
/** What one buys today, and what the drives of the machine have. */
const BOUGHT = [4, 8, 12, 16, 20, 24].map((size) => size * TB);

/** Sizes for the chips: those of the machine's own drives first, then what shops have. */
export const sizeChoices = (own: number[]): number[] => {
  const known = [...new Set(own)].sort((a, b) => a - b).slice(0, 4);
  // Small drives are tried with small ones: nobody adds 20 TB to a sandbox.
  const isSmall = Math.max(0, ...own) < TB / 10;
  const more = isSmall ? known.flatMap((size) => [size * 2, size * 4]) : BOUGHT;
  return [...new Set([...known, ...more])].sort((a, b) => a - b).slice(0, 8);
};
