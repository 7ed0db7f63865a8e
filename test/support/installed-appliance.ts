/**
 * The real server in an installation as install.sh lays it out (`<home>/versions/<version>`, of which `<home>/current` leads to one), with
 * a service manager: before each start before-start.sh runs, and who ends with a status that asks for it is started again.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeKey, writeManifest } from '../../src/release-manifest.mjs';
import { Appliance, type Answer } from './appliance';
import { layRelease, listFiles, NATIVE } from './tiny-release';

/** As RestartForceExitStatus of cairn.service. */
const START_ANEW = 75;
const MOST_STARTS = 4;
const RUNS = ['build/handler.js', 'build/shims.js', 'build/env.js', 'build/server', 'drizzle', 'src/main.ts'];
const VERSION_IN_BUILD = /var VERSION = "[\d.]+"/;

/** A release with the server of this checkout in it, which calls itself so. @param breaks it ends when it is started */
function layServer(folder: string, version: string, breaks = false): void {
  layRelease(folder, { version, more: NATIVE });
  for (const path of [...RUNS, 'src/lib/server/handle.ts'])
    cpSync(path, join(folder, path), {
      recursive: true,
      filter: (source) => !source.endsWith('.map'),
    });
  const chunks = join(folder, 'build/server/chunks/chunks');
  const [name = ''] = readdirSync(chunks).filter((file) => /^version\.js-/.test(file));
  const text = readFileSync(join(chunks, name), 'utf8');
  if (!VERSION_IN_BUILD.test(text)) throw new Error('the build does not say its version where it did');
  writeFileSync(join(chunks, name), text.replace(VERSION_IN_BUILD, `var VERSION = "${version}"`));
  if (breaks) writeFileSync(join(folder, 'build/handler.js'), 'throw new Error("it does not start");\n');
  listFiles(folder);
}

export class InstalledAppliance extends Appliance {
  readonly home: string;
  readonly channel: string;
  private readonly keyPath: string;
  /** Starts it again, when the service manager does. */
  private again: Promise<void> | null = null;
  private isStarting = false;

  constructor() {
    const root = mkdtempSync(join(tmpdir(), 'cairn-installed-'));
    const [home, channel, keyPath] = [join(root, 'opt'), join(root, 'channel'), join(root, 'key')];
    super({
      drives: 0,
      env: { CAIRN_UPDATE_CHANNEL: channel, CAIRN_UPDATE_KEYS: `${keyPath}.pub` },
    });
    [this.home, this.channel, this.keyPath] = [home, channel, keyPath];
    for (const folder of [join(home, 'versions'), channel]) mkdirSync(folder, { recursive: true });
    makeKey(keyPath);
  }

  /** Lies beside the others, and does not run. */
  lay(version: string): void {
    layServer(join(this.home, 'versions', version), version);
  }
  /** What `current` leads to. */
  get current(): string {
    return readlinkSync(join(this.home, 'current')).replace('versions/', '');
  }
  set current(version: string) {
    rmSync(join(this.home, 'current'), { force: true });
    symlinkSync(`versions/${version}`, join(this.home, 'current'));
  }
  get updatesDir(): string {
    return join(this.dataDir, 'updates');
  }
  versions(): string[] {
    return readdirSync(join(this.home, 'versions')).sort();
  }

  /** Puts a signed release into the channel. */
  offer(version: string, breaks = false): void {
    const name = `cairn-${version}`;
    layServer(join(this.channel, '.work', name), version, breaks);
    const archive = join(this.channel, `${name}-linux-x64.tar.gz`);
    execFileSync('/usr/bin/tar', ['-czf', archive, '-C', join(this.channel, '.work'), name]);
    rmSync(join(this.channel, '.work'), { recursive: true });
    writeManifest({
      ...{ folder: this.channel, version, minimumVersion: '1.0.0', keyPath: this.keyPath },
      ...{ date: '2030-01-01T00:00:00.000Z', notes: 'Faster.' },
    });
  }

  protected override folder(): string {
    return join(this.home, 'versions', this.current);
  }
  /** It does not, and yet nobody has to start it: that is being done. */
  override get running(): boolean {
    return this.again !== null || super.running;
  }
  protected override exited(): void {
    if (this.isStarting || this.exitCode !== START_ANEW) return;
    this.again = this.start()
      // It was killed on its way: whoever waits finds it dead.
      .catch(() => undefined)
      .finally(() => (this.again = null));
  }
  /** Again and again, as the service manager does, while it ends by itself; not when it was killed. */
  override async start(env: Record<string, string> = {}): Promise<void> {
    this.isStarting = true;
    try {
      for (let left = MOST_STARTS; ; left -= 1) {
        execFileSync('/bin/sh', [resolve('src/before-start.sh'), this.home, this.dataDir], {
          stdio: 'ignore',
        });
        try {
          return await super.start(env);
        } catch (error) {
          if (this.exitCode === null || left === 0) throw error;
        }
      }
    } finally {
      this.isStarting = false;
    }
  }
  override async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    await this.again;
    return super.rest<T>(method, path, body);
  }
  override async remove(): Promise<void> {
    await this.again;
    await super.remove();
    rmSync(join(this.home, '..'), { recursive: true });
  }
}
