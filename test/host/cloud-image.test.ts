/** From a cloud image on a web server to a system one can log in to: a real Debian, with the real cloud-init. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '$lib/shared/wire/images';
import { BUILD_MS, debianCloudImage } from '../support/cloud-image';
import { viewConsole, type Viewer } from '../support/console-viewer';
import { sha256 } from '../support/file-server';
import { expectNoLeaks, traces } from '../support/leaks';
import { makePool, MIB, microRequest, mustSucceed, POOL_GUID, startHost, vmNamed } from '../support/machines';

const before = traces();
const PASSWORD = 'a guest password';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';
/** What breaks YAML that is put together as text. */
const AWKWARD = `a: "b" # 'c'`;
/** The first boot of a whole system, emulated, on a busy machine. */
const BOOT_MS = 400_000;

let machines: Awaited<ReturnType<typeof startHost>>;
let line: Viewer | undefined;
beforeAll(async () => {
  const content = readFileSync(debianCloudImage());
  machines = await startHost(4_096 * MIB);
  machines.server.files.set('/debian.qcow2', { content });
  await makePool(machines.appliance);
  const { appliance, server } = machines;
  await mustSucceed(
    appliance,
    await appliance.rest('POST', '/images', {
      ...{ url: `${server.url}/debian.qcow2`, poolGuid: POOL_GUID, allowPrivate: true },
      ...{ kind: 'cloud', format: 'qcow2', name: 'Debian', checksum: sha256(content) },
    }),
  );
}, BUILD_MS + 60_000);
afterAll(async () => {
  line?.socket.close();
  await machines?.close();
  if (machines) await expectNoLeaks(before, machines.appliance.dataDir);
});

/** Waits for what the guest shows. @throws Error with the last of it */
async function shown(what: RegExp, from = 0, timeoutMs = 60_000): Promise<RegExpExecArray> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const text = line?.text().slice(from).replaceAll('\r', '') ?? '';
    const found = what.exec(text);
    if (found) return found;
    if (Date.now() > until) throw new Error(`${what} was not shown; the last is:\n${text.slice(-2_000)}`);
    await sleep(100);
  }
}
const send = (text: string): void => line?.socket.send(Buffer.from(text));
/** What a command prints, between two marks that its echo does not show. */
async function said(command: string): Promise<string> {
  const from = line?.text().length ?? 0;
  send(`printf '<%s\\n' '<'; ${command}; printf '>%s\\n' '>'\n`);
  return (await shown(/<<\n([\s\S]*?)\n?>>/, from))[1] ?? '';
}

describe('a machine from a Debian cloud image', () => {
  it('is asked for with a name, a user, a key, a password and a file', async () => {
    const { appliance } = machines;
    const { body } = await appliance.rest<{ images: Image[] }>('GET', '/images');
    const imageId = body.images.find(({ name }) => name === 'Debian')?.id ?? '';
    const more = JSON.stringify({ write_files: [{ path: '/etc/awkward', content: AWKWARD }] });
    const asked = microRequest(imageId, {
      ...{ cpus: 2, memoryBytes: 512 * MIB, diskBytes: 2_048 * MIB },
      cloudInit: { user: 'ann', sshKeys: [KEY], password: PASSWORD, more },
    });
    await mustSucceed(appliance, await appliance.rest('POST', '/vms', asked));
    line = await viewConsole(appliance, (await vmNamed(appliance, 'web'))?.id ?? '', 'serial');
  });

  it('boots to a login on its serial line under the name it was given', { timeout: BOOT_MS }, async () => {
    expect((await shown(/(\S+) login: $/, 0, BOOT_MS - 5_000))[1]).toBe('web');
  });

  it('lets the user in with the password', { timeout: 120_000 }, async () => {
    // The login is there before cloud-init has made the user.
    for (;;) {
      const from = line?.text().length ?? 0;
      send('ann\n');
      await shown(/Password: $/, from);
      send(`${PASSWORD}\n`);
      if (
        (await shown(/incorrect|ann@web:/, from))[0] !== 'Login incorrect' &&
        /ann@web:/.test(line?.text() ?? '')
      )
        break;
    }
    expect(await said('id -un')).toBe('ann');
  });

  it('has the key, the larger disk, and the file just as it was written', { timeout: 120_000 }, async () => {
    expect(await said('cloud-init status --wait --long')).toMatch(/status: done/);
    expect(await said('hostname')).toBe('web');
    expect(await said('cat ~/.ssh/authorized_keys')).toContain(KEY);
    expect(await said('cat /etc/awkward')).toBe(AWKWARD);
    expect(await said('sudo -n id -u 2>/dev/null')).toBe('0');
    expect(Number(await said('df --output=size -B1 / | tail -1'))).toBeGreaterThan(1_800 * MIB);
  });
});
