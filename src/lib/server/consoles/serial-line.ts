/**
 * A machine's serial line for several viewers. A terminal gives each byte to one reader only, so there is one, and everybody
 * is sent what it reads; whoever comes later is shown the last of what was said before.
 */
import { Duplex } from 'node:stream';

/** What is kept for those who come later: some hundred lines of a boot. */
const KEPT_BYTES = 128 * 1024;
/** A viewer with more unread is cut off; it comes back and is shown what was kept. */
const MAX_UNREAD_BYTES = 1024 ** 2;
/** A page that is loaded again shows the same text as before. */
const LINGER_MS = 60_000;

class Viewer extends Duplex {
  private readonly line: Duplex;
  constructor(line: Duplex) {
    super({ readableHighWaterMark: MAX_UNREAD_BYTES });
    this.line = line;
  }
  override _read(): void {
    // It is told when there is something.
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.line.write(chunk, done);
  }
}

export interface SerialLine {
  /** A stream of one viewer's own: ends with the line, and leaves it when it is destroyed. */
  view(): Duplex;
  close(): void;
}

/** @param ended called once, when the line has ended or nobody looked at it for a while */
export function createSerialLine(line: Duplex, ended: () => void): SerialLine {
  const viewers = new Set<Viewer>();
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let lingering: NodeJS.Timeout | undefined;

  function keep(chunk: Buffer): void {
    kept.push(chunk);
    keptBytes += chunk.length;
    while (keptBytes > KEPT_BYTES) keptBytes -= kept.shift()?.length ?? 0;
  }
  function linger(): void {
    if (viewers.size > 0) return;
    lingering = setTimeout(() => line.destroy(), LINGER_MS);
    lingering.unref();
  }

  line.on('data', (chunk: Buffer) => {
    keep(chunk);
    for (const viewer of viewers) {
      viewer.push(chunk);
      if (viewer.readableLength > MAX_UNREAD_BYTES) viewer.destroy();
    }
  });
  // A terminal whose other end is closed answers with an error (EIO), which is its way to end.
  line.on('error', () => line.destroy());
  line.on('end', () => line.destroy());
  line.once('close', () => {
    clearTimeout(lingering);
    kept = [];
    for (const viewer of viewers) viewer.push(null);
    ended();
  });

  return {
    view() {
      clearTimeout(lingering);
      const viewer = new Viewer(line);
      for (const chunk of kept) viewer.push(chunk);
      viewers.add(viewer);
      viewer.once('close', () => {
        viewers.delete(viewer);
        if (!line.destroyed) linger();
      });
      return viewer;
    },
    close: () => line.destroy(),
  };
}
