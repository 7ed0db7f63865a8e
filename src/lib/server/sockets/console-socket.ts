/** Bytes between a socket and a console, both ways. */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { CONSOLE_ENDED } from '$lib/shared/console-protocol';

/** A screen that changes faster than the network takes it is not read further: QEMU then leaves frames out. */
const MAX_UNSENT_BYTES = 512 * 1024;
/**
 * Typed, and not taken by the machine. The socket is read on all the same: one that is paused would not notice either that
 * its viewer has gone. Nobody types that much.
 */
const MAX_UNTAKEN_BYTES = 1024 ** 2;
const TRY_AGAIN_LATER = 1013;
/** Proxies and phones drop a connection on which nothing is said. */
const PING_MS = 25_000;

const bytesOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);

export function serveConsole(socket: WebSocket, line: Duplex): void {
  let answered = true;
  const ping = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_MS);
  socket.on('pong', () => (answered = true));

  line.on('data', (chunk: Buffer) => {
    socket.send(chunk, { binary: true }, () => {
      if (socket.bufferedAmount < MAX_UNSENT_BYTES) line.resume();
    });
    if (socket.bufferedAmount >= MAX_UNSENT_BYTES) line.pause();
  });
  socket.on('message', (data) => {
    line.write(bytesOf(data));
    if (line.writableLength > MAX_UNTAKEN_BYTES)
      socket.close(TRY_AGAIN_LATER, 'the machine does not take what is typed');
  });

  const over = (): void => {
    socket.close(CONSOLE_ENDED, 'the console has ended');
  };
  line.on('end', over);
  line.on('error', over);
  line.on('close', over);
  socket.once('close', () => {
    clearInterval(ping);
    line.destroy();
  });
}
