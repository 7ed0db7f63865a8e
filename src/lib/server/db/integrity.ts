import type { Db } from './client';

/** At most so many complaints: one is enough to know. */
const MOST = 5;

/**
 * What SQLite finds wrong with the file (https://www.sqlite.org/pragma.html#pragma_quick_check) and with references between rows.
 * It reads the whole file and holds up everything else meanwhile: some ten milliseconds a megabyte at most.
 * @returns complaints, a sentence each; none: it is whole
 */
export function databaseComplaints({ $client: client }: Db): string[] {
  const structure = (client.pragma(`quick_check(${MOST})`) as { quick_check: string }[])
    .map((row) => row.quick_check)
    .filter((text) => text !== 'ok');
  const references = client.pragma('foreign_key_check') as { table: string; parent: string }[];
  return [
    ...structure,
    ...references
      .slice(0, MOST)
      .map(({ table, parent }) => `A row of ${table} names one of ${parent} that is not there.`),
  ];
}
