/**
 * The process: loads the built application, whose `init` hook starts the daemon, serves it, and stops it in order.
 * Nothing of the server is imported here: the bundle has its own copy, and a second one would be a second daemon. The
 * two meet in the handle on globalThis.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { findHandle } from './lib/server/handle.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Cairn needs Node 24; this is ${process.version}. Start it with: npm start\n`);
  process.exit(1);
}

// Beside the build, not in a folder for temporary files, where others could put code for us to run.
enableCompileCache(fileURLToPath(new URL('../build/.compile-cache', import.meta.url)));

// The adapter reads its settings while it is imported, and assumes https unless a header says otherwise; the header is
// set from the connection below, never taken from a client. Body limits are checked by the hooks, with a code.
process.env.NODE_ENV ??= 'production';
process.env.PROTOCOL_HEADER = 'x-cairn-protocol';
process.env.BODY_SIZE_LIMIT = 'Infinity';

/** For failures that people mend without a stack: already running, a newer database, a wrong variable. */
function explain(error: unknown): never {
  const { code, message, remedy } = error as { code?: string; message?: string; remedy?: string };
  const known = code === 'already_running' || code === 'newer_database';
  process.stderr.write(
    known ? `${message} ${remedy ?? ''}\n` : `Cairn could not start: ${String(message)}\n`,
  );
  if (!known && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(known ? 3 : 1);
}

const { handler } = await import(new URL('../build/handler.js', import.meta.url).href).catch(explain);
const handle = findHandle();
if (!handle) explain(new Error('The daemon did not start.'));

const server = handle.webServer(handler);

let asked = false;
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (asked) process.exit(1);
  asked = true;
  await handle?.stop(signal);
  server.close();
  // Another status asks the service manager for another start: see host/release-actions.ts.
  process.exit(process.exitCode ?? 0);
}
process.on('SIGTERM', (signal) => void stop(signal));
process.on('SIGINT', (signal) => void stop(signal));

try {
  handle.listening(await server.listen());
  flushCompileCache();
} catch (error) {
  await handle.stop('cannot listen');
  explain(error);
}
