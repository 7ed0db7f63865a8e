/**
 * How many rows of a long list the server writes, and the browser brings to life first: more than anybody sees at once.
 * The others are made when the page can be used, a moment later. A page that is reached from another one has all at once.
 */
const FIRST = 40;
let isAlive = false;

export function firstRows() {
  let most = $state(isAlive ? Number.POSITIVE_INFINITY : FIRST);
  return {
    get most(): number {
      return most;
    },
    /** The page can be used now. */
    all: (): void => {
      isAlive = true;
      most = Number.POSITIVE_INFINITY;
    },
  };
}
