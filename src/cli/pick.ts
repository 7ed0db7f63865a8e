/** From the word that somebody typed to the one thing that it means. */
import { CliError, EXIT } from './exit-codes';
import { inNaturalOrder } from './table';

/**
 * By any of its names, exactly; else without regard to capitals.
 * @param noun as in "There is no pool …"
 * @throws CliError notFound, with names that come near; usage when several things are called so
 */
export function pick<T>(
  items: readonly T[],
  word: string,
  { noun, names, label }: { noun: string; names: (item: T) => (string | null)[]; label: (item: T) => string },
): T {
  const exact = items.filter((item) => names(item).includes(word));
  const lower = word.toLowerCase();
  const found =
    exact.length > 0
      ? exact
      : items.filter((item) => names(item).some((name) => name?.toLowerCase() === lower));
  if (found.length > 1)
    throw new CliError(
      EXIT.usage,
      `Several are called ${word}: ${found.map((item) => names(item)[0]).join(', ')}.`,
      {
        remedy: 'Name it by its id.',
      },
    );
  if (found[0] !== undefined) return found[0];
  const near = items.filter((item) => names(item).some((name) => name?.toLowerCase().includes(lower)));
  const shown = inNaturalOrder((near.length > 0 ? near : items).map(label), (name) => name).slice(0, 6);
  throw new CliError(EXIT.notFound, `There is no ${noun} ${word}.`, {
    remedy: shown.length > 0 ? `There is: ${shown.join(', ')}.` : null,
  });
}
