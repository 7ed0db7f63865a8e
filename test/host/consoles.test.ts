/** Screen and serial line of real guests, over the sockets that a page uses. */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONSOLE_ENDED } from '$lib/shared/console-protocol';
import type { ConsoleKind } from '$lib/plugin-api/vm';
import type { VmUsageSample } from '$lib/shared/wire/vm-usage';
import { askForTicket, viewConsole, type Viewer } from '../support/console-viewer';
import { expectNoLeaks, traces } from '../support/leaks';
import { busyGuest } from '../support/micro-guest';
import {
  addImage,
  MIB,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
let machines: Machines;
let vmId: string;

beforeAll(async () => {
  machines = await startMachines();
  const { appliance, imageId } = machines;
  await mustSucceed(appliance, await appliance.rest('POST', '/vms', microRequest(imageId)));
  vmId = (await vmNamed(appliance, 'web'))?.id ?? '';
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const ask = (kind: ConsoleKind) => askForTicket(machines.appliance, vmId, kind);
const view = (kind: ConsoleKind) => viewConsole(machines.appliance, vmId, kind);

/** Types until the guest answers: before it has booted it hears nothing. */
async function typed({ socket, text }: Viewer, letter: string): Promise<void> {
  await expect
    .poll(
      () => {
        socket.send(Buffer.from(letter));
        return text();
      },
      { timeout: 20_000, interval: 100 },
    )
    .toContain(letter);
}
/** Open files of the server at a guest's terminals and sockets. */
const linesOpen = (): string[] =>
  readdirSync(`/proc/${machines.appliance.pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${machines.appliance.pid}/fd/${fd}`);
      return target.startsWith('/dev/pts/') ? [target] : [];
    } catch {
      return []; // closed since it was listed
    }
  });

describe('what a machine uses', () => {
  it('is told as rates, a moment after it is asked for', async () => {
    const { appliance } = machines;
    const imageId = await addImage(machines, 'Busy', busyGuest());
    await mustSucceed(
      appliance,
      await appliance.rest('POST', '/vms', microRequest(imageId, { name: 'busy' })),
    );
    const { id } = (await vmNamed(appliance, 'busy')) ?? { id: '' };
    const { status, body } = await appliance.rest<{ samples: VmUsageSample[] }>('GET', `/vms/${id}/usage`);
    expect(status, JSON.stringify(body)).toBe(200);
    const [sample] = body.samples;
    expect(sample?.cpuPercent).toBeGreaterThan(10);
    expect(sample?.memoryBytes).toBeGreaterThan(8 * MIB);
    await mustSucceed(appliance, await appliance.rest('POST', `/vms/${id}/stop`, { graceSeconds: 0 }));
  });
});

describe('the screen of a machine', () => {
  it('speaks RFB, to two viewers at once', async () => {
    const viewers = [await view('vnc'), await view('vnc')];
    for (const { text } of viewers) await expect.poll(text).toBe('RFB 003.008\n');
    for (const { socket, closed } of viewers) {
      socket.close();
      await closed;
    }
  });
});

describe('the serial line of a machine', () => {
  it('carries what is typed and what the guest answers, to everybody who looks', async () => {
    const [one, two] = [await view('serial'), await view('serial')];
    await typed(one, 'x');
    await expect.poll(two.text).toContain('x');
    expect(linesOpen()).toHaveLength(1);
    two.socket.close();
    await two.closed;
    await typed(one, 'y');
    const late = await view('serial');
    await expect.poll(late.text).toContain('x');
    one.socket.close();
    late.socket.close();
    await Promise.all([one.closed, late.closed]);
  });

  it('takes more than the guest reads without holding anybody up', async () => {
    const viewer = await view('serial');
    viewer.socket.send(Buffer.alloc(200 * 1024, 'z'));
    const answered = await machines.appliance.rest('GET', '/vms');
    expect(answered.status).toBe(200);
    viewer.socket.close();
    await viewer.closed;
  });

  it('ends when the machine goes off, and leaves no terminal open', async () => {
    const [screen, serial] = [await view('vnc'), await view('serial')];
    const { appliance } = machines;
    await mustSucceed(appliance, await appliance.rest('POST', `/vms/${vmId}/stop`, { graceSeconds: 0 }));
    expect([await screen.closed, await serial.closed]).toEqual([CONSOLE_ENDED, CONSOLE_ENDED]);
    await expect.poll(linesOpen).toEqual([]);
    const { status, body } = await ask('serial');
    expect([status, body.error?.code]).toEqual([409, 'vm_not_running']);
  });

  it('is there again when the machine is on again', async () => {
    const { appliance } = machines;
    await mustSucceed(appliance, await appliance.rest('POST', `/vms/${vmId}/start`));
    const viewer = await view('serial');
    await typed(viewer, 'x');
    await appliance.kill('SIGKILL');
    await viewer.closed;
    await appliance.start();
    const again = await view('serial');
    await typed(again, 'w');
    again.socket.close();
    await again.closed;
  });
});
