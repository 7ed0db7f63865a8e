/** The order in which people count: disk-9 before disk-10. One collator for all: making one costs more than a hundred comparisons. */
const collator = new Intl.Collator('en', { numeric: true });

export const naturally = (a: string, b: string): number => collator.compare(a, b);
