/** install.sh for real, in a Debian that is thrown away: this machine's own root below an overlay. Without systemd as its first process. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DebianRoot } from '../support/debian-root';
import { removeFolder } from '../../src/cli/leftovers';

const given = mkdtempSync(join(tmpdir(), 'cairn-given-'));
const roots: DebianRoot[] = [];
function debian(): DebianRoot {
  const root = new DebianRoot();
  roots.push(root);
  return root;
}
afterEach(() => {
  for (const root of roots.splice(0)) root.remove();
});

/** A release in small: the files that install.sh looks at, with a program that answers as Node does. */
function makeRelease(version: string, packages = 'required sh dash\n'): string {
  const name = `cairn-${version}`;
  const folder = join(given, name);
  for (const path of ['node_modules/.bin', 'src/cli', 'systemd'])
    mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    `{\n  "name": "cairn",\n  "version": "${version}",\n  "x": 1\n}\n`,
  );
  writeFileSync(join(folder, 'node_modules/.bin/node'), '#!/bin/sh\necho v24.0.0\n');
  chmodSync(join(folder, 'node_modules/.bin/node'), 0o755);
  writeFileSync(join(folder, 'host-packages.txt'), packages);
  copyFileSync('src/cli/cairn', join(folder, 'src/cli/cairn'));
  copyFileSync('src/before-start.sh', join(folder, 'src/before-start.sh'));
  copyFileSync('install.sh', join(folder, 'install.sh'));
  cpSync('systemd', join(folder, 'systemd'), { recursive: true });
  execFileSync('/bin/sh', ['-c', 'find . -type f ! -name SHA256SUMS | sort | xargs sha256sum > SHA256SUMS'], {
    cwd: folder,
  });
  execFileSync('/usr/bin/tar', ['-czf', `${name}.tar.gz`, name], { cwd: given });
  execFileSync('/bin/sh', ['-c', `sha256sum ${name}.tar.gz > ${name}.tar.gz.sha256`], { cwd: given });
  return `/mnt/given/${name}.tar.gz`;
}
let first = '';
beforeAll(() => {
  copyFileSync('install.sh', join(given, 'install.sh'));
  first = makeRelease('1.0.0');
});
afterAll(() => removeFolder(given));

const INSTALL = 'sh /mnt/given/install.sh --no-start';
/** Where something of Cairn is. */
const places = (root: DebianRoot): string[] =>
  root.changes().filter((line) => !/^((dev|run|proc|mnt)\b|var \d)/.test(line));

describe('an installation', () => {
  it('puts program, settings, units and command in their places; a second run changes nothing', () => {
    const root = debian();
    const one = root.run(`${INSTALL} --from ${first}`, given);
    expect(one.text).toContain('version 1.0.0 is installed.');
    expect(one.code).toBe(0);
    const made = places(root);
    expect(made.join('\n')).toMatch(/opt\/cairn\/current .* -> versions\/1\.0\.0/);
    for (const place of [
      ...['etc/cairn/cairn.env 600 0', 'etc/systemd/system/cairn.service 644 0', 'usr/local/bin/cairn 755 0'],
      'var/lib/cairn 700 0',
    ])
      expect(made.join('\n')).toContain(place);
    expect(made.join('\n')).toContain('multi-user.target.wants/cairn.service');
    const unit = root.run('cat /etc/systemd/system/cairn.service', given).text;
    expect(unit).toContain('ExecStart=/opt/cairn/current/node_modules/.bin/node');
    expect(unit).toContain('ExecStartPre=-/bin/sh /opt/cairn/before-start.sh /opt/cairn ${CAIRN_DATA_DIR}\n');
    expect(unit).not.toMatch(/\/opt\/cairn\/(?!current|README|before-start\.sh)/);
    expect(made.filter((line) => /cairn-install|\.new/.test(line))).toEqual([]);

    const two = root.run(`${INSTALL} --from ${first}`, given);
    expect(two.text).toContain('nothing was to be done');
    expect(places(root)).toEqual(made);
    expect(root.run('sh /opt/cairn/current/install.sh --version', given).text).toBe('1.0.0\n');
  });
  it('repairs what is broken, and keeps settings that were changed', () => {
    const root = debian();
    root.run(`${INSTALL} --from ${first}`, given);
    const harm =
      'echo x >> /opt/cairn/current/package.json; rm /usr/local/bin/cairn; chmod 755 /var/lib/cairn; echo "# mine" >> /etc/cairn/cairn.env';
    root.run(harm, given);
    const { text, code } = root.run(`${INSTALL} --from ${first}`, given);
    expect(text).toContain('putting version 1.0.0');
    expect(code).toBe(0);
    const look =
      'cd /opt/cairn/current && sha256sum -c --quiet SHA256SUMS && stat -c %a /var/lib/cairn && tail -n 1 /etc/cairn/cairn.env && ls /usr/local/bin/cairn';
    expect(root.run(look, given).text).toBe('700\n# mine\n/usr/local/bin/cairn\n');
  });
  it('says what it would do, and does none of it', () => {
    const root = debian();
    const { text, code } = root.run(`${INSTALL} --dry-run --from ${first}`, given);
    expect(code).toBe(0);
    expect(text).toContain('would run: mv -T -- /opt/cairn/current.new /opt/cairn/current');
    expect(places(root)).toEqual([]);
  });
  it('switches to another version, which the one before outlives', () => {
    const root = debian();
    root.run(`${INSTALL} --from ${first}`, given);
    expect(root.run(`${INSTALL} --from ${makeRelease('1.1.0')}`, given).code).toBe(0);
    expect(root.run('readlink /opt/cairn/current; ls /opt/cairn/versions', given).text).toBe(
      'versions/1.1.0\n1.0.0\n1.1.0\n',
    );
  });
  it('is removed without its data, and with it only when that is said', () => {
    const root = debian();
    root.run(`${INSTALL} --from ${first}; echo kept > /var/lib/cairn/cairn.db`, given);
    const remove = 'cp /opt/cairn/current/install.sh /root/i.sh; sh /root/i.sh --uninstall';
    expect(root.run(remove, given).text).toContain('and pools are as they were');
    expect(
      root.run(
        'cat /var/lib/cairn/cairn.db; ls /etc/cairn; ls -d /opt/cairn /usr/local/bin/cairn /etc/systemd/system/cairn* 2>/dev/null',
        given,
      ).text,
    ).toBe('kept\ncairn.env\n');
    root.run('sh /root/i.sh --uninstall --purge', given);
    expect(root.run('ls -d /var/lib/cairn /etc/cairn 2>/dev/null', given).text).toBe('');
  });
});

describe('an installation that cannot be', () => {
  const refused: [title: string, before: string, options: string, says: string][] = [
    ['a release that was changed on the way', '', '--from /mnt/given/damaged.tar.gz', 'its checksum differs'],
    ['a release without its checksum', '', '--from /mnt/given/bare.tar.gz', 'There is no checksum'],
    ['an archive that is not there', '', '--from /mnt/given/none.tar.gz', 'could not be had'],
    ['no release at all', '', '', 'There is nothing to install'],
    [
      'another system',
      'sed -i s/^ID=.*/ID=other/ /etc/os-release; ',
      `--from FIRST`,
      'Debian 12 and 13; this is other',
    ],
    [
      'a folder of somebody else',
      'mkdir -p /opt/cairn/theirs; ',
      `--from FIRST`,
      'was not made by this script',
    ],
    [
      'a package that apt does not have',
      '',
      '--from /mnt/given/cairn-2.0.0.tar.gz',
      'apt-get could not install',
    ],
    ['an option that there is not', '', '--fast', 'There is no option --fast'],
    ['a port that is none', '', '--port 99999', '1 to 65535'],
  ];
  beforeAll(() => {
    copyFileSync(join(given, 'cairn-1.0.0.tar.gz'), join(given, 'damaged.tar.gz'));
    execFileSync('/bin/sh', ['-c', 'sha256sum damaged.tar.gz > damaged.tar.gz.sha256'], { cwd: given });
    appendFileSync(join(given, 'damaged.tar.gz'), 'x');
    copyFileSync(join(given, 'cairn-1.0.0.tar.gz'), join(given, 'bare.tar.gz'));
    makeRelease('2.0.0', 'required no-such-program no-such-package-of-debian\n');
  });
  it.each(refused)('says so, and leaves nothing: %s', (_title, before, options, says) => {
    const root = debian();
    const offline = 'echo > /etc/apt/sources.list; rm -rf /etc/apt/sources.list.d; ';
    const { text, code } = root.run(
      `${before}${offline}${INSTALL} ${options.replace('FIRST', first)} </dev/null`,
      given,
    );
    expect(text).toContain(says);
    expect(code).toBe(1);
    expect(
      places(root).filter((line) =>
        /^(opt\/cairn\/versions|etc\/cairn|etc\/systemd|var\/lib\/cairn|var\/tmp\/)/.test(line),
      ),
    ).toEqual([]);
  });
  it('needs systemd to start it, and says how to do without', () => {
    expect(debian().run(`sh /mnt/given/install.sh --from ${first}`, given).text).toContain('use --no-start');
  });
  it('does nothing when it was cut on the way here', () => {
    const root = debian();
    const { code } = root.run('head -c 9000 /mnt/given/install.sh | sh -s -- --from x', given);
    expect(code).not.toBe(-1);
    expect(places(root)).toEqual([]);
  });
});

it('the script is clean for the shell', () => {
  expect(spawnSync('/bin/sh', ['-n', 'install.sh']).status).toBe(0);
  expect(readdirSync('systemd').sort()).toEqual(['cairn-machines.service', 'cairn.service']);
});
