/** systemd's protocol (sd_notify(3)) on a real socket: the real systemd-notify speaks, the test listens. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createCommands } from '$lib/server/host/command';
import { createLog } from '$lib/server/log';
import { createServiceNotify } from '$lib/server/service-notify';

const LISTENER = `use Socket; $| = 1; socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die; bind $s, sockaddr_un(shift) or die; print "listening\n";
while (defined recv $s, my $message, 4096, 0) { $message =~ s/\n/ /g; print "$message\n" }`;

let dir = '';
let listener: ChildProcess | undefined;
afterEach(() => {
  listener?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

it('systemd hears that the service is ready, alive and stopping', async () => {
  dir = mkdtempSync(join(tmpdir(), 'cairn-notify-'));
  const path = join(dir, 'notify');
  const child = spawn('/usr/bin/perl', ['-e', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  listener = child;
  let heard = '';
  child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  await expect.poll(() => heard).toContain('listening');
  const commands = createCommands(['/usr/bin/systemd-notify']);
  const notify = createServiceNotify({ notifySocket: path, watchdogMs: 200 }, commands, createLog('silent'));
  await notify.ready('tested');
  await expect.poll(() => heard).toMatch(/READY=1/);
  await expect.poll(() => heard).toMatch(/WATCHDOG=1/);
  await notify.stopping();
  await expect.poll(() => heard).toMatch(/STOPPING=1/);
  expect(heard).toMatch(new RegExp(`MAINPID=${process.pid}`));
});
