/** `npm run bench [-- machines]`: prints what Cairn costs, with the same work done raw beside it in the same run. Never part of the tests. */
import { loadavg } from 'node:os';
import { printRows, type Row } from './measure.ts';
import { pageRows } from './page.ts';
import { creationTime, fanOut, startTime } from './server.ts';
import { vmRows } from './vms.ts';

/** One measurement that fails is said so, and the others are still made. */
async function measured(what: string, measure: () => Promise<Row | Row[]>): Promise<Row[]> {
  try {
    return [await measure()].flat();
  } catch (error) {
    console.error(error);
    return [{ what, measured: 'failed', raw: '', target: '', reached: false }];
  }
}

const MEASUREMENTS: [what: string, measure: () => Promise<Row | Row[]>][] = [
  ['exec to first 200 (ready)', startTime],
  ['btrfs raid1 creation beyond the script', creationTime],
  ['one event to 1000 sockets, last client', () => fanOut()],
  ['pages', pageRows],
  ['machines', vmRows],
];

const [asked = ''] = process.argv.slice(2);
const before = loadavg();
const rows: Row[] = [];
for (const [what, measure] of MEASUREMENTS)
  if (what.includes(asked)) rows.push(...(await measured(what, measure)));
printRows(rows);
const load = (values: number[]): string => values.map((value) => value.toFixed(1)).join(' ');
console.log(`load average before: ${load(before)}, after: ${load(loadavg())}`);
