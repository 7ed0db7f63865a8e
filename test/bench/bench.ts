/** `npm run bench`: prints what Cairn costs, with the same work done raw beside it in the same run. Never part of the tests. */
import { printRows } from './measure.ts';
import { pageRows } from './page.ts';
import { creationTime, fanOut, startTime } from './server.ts';

const rows = [await startTime(), await creationTime(), await fanOut(), ...(await pageRows())];
printRows(rows);
