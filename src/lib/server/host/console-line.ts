/** Opens the line to a machine's console, as a stream of bytes both ways. */
import { closeSync, constants, openSync, type Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { ConsoleEndpoint } from '$lib/plugin-api/vm';
import { AppError } from '../errors';

const isRight = (at: ConsoleEndpoint['at'], stats: Stats): boolean =>
  at === 'socket' ? stats.isSocket() : stats.isCharacterDevice();

async function openSocket(path: string): Promise<Duplex> {
  const socket = connect({ path });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Which file a stream reads; Node has no public name for it. */
const fileOf = (stream: ReadStream): number | undefined =>
  (stream as unknown as { _handle?: { fd: number } })._handle?.fd;

/**
 * Not as our own terminal (tty(4): O_NOCTTY), and never waited for: a guest that reads nothing holds nobody up.
 * The stream opens the terminal once more for itself, and ours is closed. Where it could not (out of files), it keeps ours:
 * closed below, its number would be somebody else's soon, and the console would read and close that.
 */
function openTerminal(path: string): Duplex {
  const file = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  let stream: ReadStream | undefined;
  try {
    stream = new ReadStream(file);
    return stream;
  } finally {
    if (!stream || fileOf(stream) !== file) closeSync(file);
  }
}

/** @throws AppError vm_gone when nothing is there any more, or something else is */
export async function openConsoleLine({ at, path }: ConsoleEndpoint): Promise<Duplex> {
  try {
    if (!isRight(at, await lstat(path))) throw new Error(`${path} is no ${at}`);
    return await (at === 'socket' ? openSocket(path) : openTerminal(path));
  } catch (error) {
    throw new AppError('vm_gone', 'The console ended while it was being opened.', { cause: error });
  }
}
