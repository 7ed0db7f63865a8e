/** `npm run bench`: prints what Cairn costs, with the same work done raw beside it in the same run. Never part of the tests. */
import { loadavg } from 'node:os';
import { printRows, type Row } from './measure.ts';
import { pageRows } from './page.ts';
import { creationTime, fanOut, startTime } from './server.ts';

/** One measurement that fails is said so, and the others are still made. */
async function measured(what: string, measure: () => Promise<Row | Row[]>): Promise<Row[]> {
  try {
    return [await measure()].flat();
  } catch (error) {
    console.error(error);
    return [{ what, measured: 'failed', raw: '', target: '', reached: false }];
  }
}

const before = loadavg();
const rows = [
  ...(await measured('exec to first 200 (ready)', startTime)),
  ...(await measured('btrfs raid1 creation beyond the script', creationTime)),
  ...(await measured('one event to 1000 sockets, last client', () => fanOut())),
  ...(await measured('pages', pageRows)),
];
printRows(rows);
const load = (values: number[]): string => values.map((value) => value.toFixed(1)).join(' ');
console.log(`load average before: ${load(before)}, after: ${load(loadavg())}`);
