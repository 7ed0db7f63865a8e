/** before-start.sh, run as the service runs it before each start, with real databases and links. */
import { execFileSync } from 'node:child_process';
import {
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
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAtTrial } from '$lib/server/host/trial-look';
import { backText, trialText, updateFiles, type Trial } from '$lib/server/updates/place';

const trial: Trial = { id: '0123abcd', from: '1.0.0', to: '1.1.0' };
let [root, home, data] = ['', '', ''];
let files: ReturnType<typeof updateFiles>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-way-back-'));
  [home, data] = [join(root, 'opt'), join(root, 'data')];
  for (const folder of [join(home, 'versions/1.0.0'), join(home, 'versions/1.1.0'), join(data, 'updates')])
    mkdirSync(folder, { recursive: true });
  files = updateFiles(join(data, 'updates'));
  write(files.savedPath(trial), 'before');
  write(join(data, 'cairn.db'), 'after');
  writeFileSync(files.trialPath, trialText(trial));
  point('1.1.0');
});
afterEach(() => rmSync(root, { recursive: true }));

/** With a journal that holds what was written last, as a process that was killed leaves it. */
function write(path: string, what: string): void {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE says (what TEXT)');
  db.prepare('INSERT INTO says VALUES (?)').run(what);
  db.close();
}
function read(path: string): unknown {
  const db = new Database(path);
  try {
    return db.prepare('SELECT what FROM says').pluck().get();
  } finally {
    db.close();
  }
}
function point(version: string): void {
  rmSync(join(home, 'current'), { force: true });
  symlinkSync(`versions/${version}`, join(home, 'current'));
}
const current = (): string => readlinkSync(join(home, 'current'));
const beforeStart = (env: Record<string, string> = {}): string =>
  execFileSync('/bin/sh', ['src/before-start.sh', home, data], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
  });
const look = () =>
  lookAtTrial({ path: files.trialPath, content: trialText(trial), failedPath: files.failedPath });

describe('a version on trial', () => {
  it('is started twice, and then the one before is back with its database', async () => {
    beforeStart();
    beforeStart();
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.1.0', 'after']);
    expect(await look()).toMatchObject({ status: 'done' });

    expect(beforeStart()).toContain('version 1.1.0 was started 2 times and did not become ready');
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.0.0', 'before']);
    expect(read(join(data, 'updates/left-0123abcd.db'))).toBe('after');
    expect(await look()).toMatchObject({
      status: 'foreign',
      evidence:
        'Version 1.1.0 was started and did not become ready, so version 1.0.0 is back, with its database as it was.',
    });
    expect(beforeStart()).toBe('');
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.0.0', 'before']);
  });

  it('is not on trial any more once it was ready', () => {
    beforeStart();
    files.endTrial();
    for (let starts = 0; starts < 4; starts += 1) beforeStart();
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.1.0', 'after']);
  });

  it('leaves no journal of one database beside the other', () => {
    beforeStart();
    beforeStart();
    // Killed: what it wrote last is in the journal only.
    const db = new Database(join(data, 'cairn.db'));
    db.prepare('UPDATE says SET what = ?').run('in the journal');
    execFileSync('/bin/cp', ['-a', join(data, 'cairn.db-wal'), join(root, 'wal')]);
    db.close();
    execFileSync('/bin/cp', ['-a', join(root, 'wal'), join(data, 'cairn.db-wal')]);
    beforeStart();
    expect(readdirSync(data).sort()).toEqual(['cairn.db', 'updates']);
    expect(read(join(data, 'cairn.db'))).toBe('before');
    expect(read(join(data, 'updates/left-0123abcd.db'))).toBe('in the journal');
  });

  it('is left alone when somebody has installed another one since', () => {
    point('1.0.0');
    for (let starts = 0; starts < 4; starts += 1) beforeStart();
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.0.0', 'after']);
  });

  it('goes on being started when there is no way back', () => {
    rmSync(join(home, 'versions/1.0.0'), { recursive: true });
    beforeStart();
    beforeStart();
    expect(beforeStart()).toContain('there is no way back to version 1.0.0');
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.1.0', 'after']);
  });

  it.each(['', 'x', '0123abcd 1.0.0', '0123abcd ../x 1.1.0', '0123abcd 1.0.0 1.1.0/..', 'a b c d'])(
    'that is named by %j is nobody’s',
    (text) => {
      writeFileSync(files.trialPath, text);
      for (let starts = 0; starts < 4; starts += 1) beforeStart();
      expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.1.0', 'after']);
    },
  );
});

describe('a way back that is cut off', () => {
  /** Each program that changes something is a place where the power may go: the n-th of them is the end. */
  function cutAfter(count: number): void {
    const bin = join(root, 'bin');
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    writeFileSync(join(root, 'left'), `${count}`);
    for (const program of ['cp', 'mv', 'rm', 'ln', 'chmod', 'sync'])
      writeFileSync(
        join(bin, program),
        `#!/bin/sh\nread -r left <"${root}/left" || true\n[ "$left" -gt 0 ] || kill -9 $PPID\n[ "$left" -gt 0 ] || exit 1\necho $((left - 1)) >"${root}/left"\nexec /usr/bin/${program} "$@"\n`,
        { mode: 0o755 },
      );
    try {
      beforeStart({ PATH: `${bin}:/usr/bin:/bin` });
    } catch {
      // Cut off, as wanted.
    }
  }

  it('is gone on with by the next start, wherever it was', () => {
    for (let count = 0; count < 24; count += 1) {
      rmSync(join(data, 'updates'), { recursive: true });
      mkdirSync(join(data, 'updates'));
      for (const name of readdirSync(data)) if (name.startsWith('cairn.db')) rmSync(join(data, name));
      write(files.savedPath(trial), 'before');
      write(join(data, 'cairn.db'), 'after');
      writeFileSync(files.trialPath, trialText(trial));
      writeFileSync(join(data, 'updates/starts'), '2\n');
      point('1.1.0');
      cutAfter(count);
      beforeStart();
      expect([count, current(), read(join(data, 'cairn.db'))]).toEqual([count, 'versions/1.0.0', 'before']);
      expect(
        readdirSync(join(data, 'updates')).filter((name) => name === 'trial' || name === 'starts'),
      ).toEqual([]);
      expect(readFileSync(files.failedPath, 'utf8')).toBe(trialText(trial));
    }
  }, 60_000);
});

describe('somebody who goes back', () => {
  beforeEach(() => {
    for (const path of [files.failedPath, files.trialPath]) writeFileSync(path, backText(trial));
  });
  it('is there at the next start, with the database that was saved', async () => {
    beforeStart();
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.0.0', 'before']);
    expect(await look()).toMatchObject({
      status: 'foreign',
      evidence: 'Somebody went back from version 1.1.0 to version 1.0.0, with its database as it was.',
    });
  });
  it('keeps the database where none was saved for it', () => {
    rmSync(files.savedPath(trial));
    beforeStart();
    expect([current(), read(join(data, 'cairn.db'))]).toEqual(['versions/1.0.0', 'after']);
  });
});
