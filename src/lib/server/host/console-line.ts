/** Opens the line to a machine's console, as a stream of bytes both ways. */
import { constants, type Stats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
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

/** Not as our own terminal (tty(4): O_NOCTTY), and never waited for: a guest that reads nothing holds nobody up. */
async function openTerminal(path: string): Promise<Duplex> {
  const file = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    // It opens the terminal once more, for itself.
    return new ReadStream(file.fd);
  } finally {
    await file.close();
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
