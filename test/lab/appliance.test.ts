/** Cairn as its unit runs it, with real drives, real boots and a real end. */
import { describe, expect, it } from 'vitest';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 400 * MiB }));
const single = (label: string, serial: string) => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial }],
});
/** A step of a running operation has begun to act: this is the moment to interrupt it. */
const inStep = (cairn: Cairn, id: string, step: string) =>
  cairn.until(
    () => cairn.trpc.operations.get.query({ id }),
    ({ steps }) => steps.some(({ name, state }) => name === step && state !== 'pending' && state !== 'begun'),
  );

/** Taken back or finished, never half: said with its evidence, and the machine is as the verdict says. */
async function expectVerdict(cairn: Cairn, guid: string, id: string, ...serials: string[]): Promise<void> {
  const { state, verdict, evidence } = await cairn.waitForOperation(id);
  expect(['taken-back failed', 'finished-anyway succeeded', 'null succeeded']).toContain(
    `${verdict} ${state}`,
  );
  if (verdict) expect(evidence.length).toBeGreaterThan(0);
  const present = (await cairn.trpc.pools.list.query()).find((pool) => pool.guid === guid);
  expect(present?.state ?? 'none').toBe(state === 'succeeded' ? 'ready' : 'none');
  for (const serial of serials) {
    const wanted = present
      ? { group: 'in-pool' }
      : { group: 'free', signatures: [], partitions: [], mounts: [] };
    await cairn.until(
      () => cairn.drive(serial),
      (drive) => drive.group === wanted.group && (present !== undefined || drive.contentHash === 'blank'),
    );
    expect(await cairn.drive(serial)).toMatchObject(wanted);
  }
  if (present) await cairn.removePool(guid);
}

describe('Cairn in a guest', () => {
  it('is ready, lists the drives and makes pools on them', async () => {
    const cairn = await lab.cairn({ drives: drives('P1', 'P2', 'P3') });
    const { machine } = cairn;
    await cairn.drive('P3');
    const { status, body } = await cairn.api.get<{ drives: { serial: string; group: string }[] }>(
      '/api/v1/drives',
    );
    expect(status).toBe(200);
    const groups = Object.fromEntries(body.drives.map(({ serial, group }) => [serial, group]));
    expect(groups).toMatchObject({ P1: 'free', P2: 'free', P3: 'free', 'lab-root': 'protected' });

    const single = await cairn.createPool({
      label: 'One',
      plugin: 'single-drive',
      layout: 'single',
      drives: [{ serial: 'P1' }],
    });
    const mirror = await cairn.createPool({
      label: 'Two',
      plugin: 'btrfs',
      layout: 'raid1',
      drives: [{ serial: 'P2' }, { serial: 'P3' }],
    });
    for (const { mountPath } of [single, mirror]) await machine.check(`echo x >${mountPath}/file`);
    expect(mirror.members.map(({ serial, status }) => `${serial} ${status}`)).toEqual([
      'P2 active',
      'P3 active',
    ]);
  });

  it('is started again after kill -9, and says what became of a creation', async () => {
    const cairn = await lab.cairn({ drives: drives('P1') });
    const { guid, operation } = await cairn.startPool(single('One', 'P1'));
    await inStep(cairn, operation.id, 'make-filesystem');
    await cairn.kill();
    await cairn.machine.until('systemctl show -P NRestarts cairn | grep -qx 1');
    await cairn.ready();
    await expectVerdict(cairn, guid, operation.id, 'P1');
  });

  it('is ended and started again by the watchdog when it hangs', async () => {
    const cairn = await lab.cairn();
    await cairn.machine.check('kill -STOP $(systemctl show -P MainPID cairn)');
    await cairn.machine.until('systemctl show -P NRestarts cairn | grep -qx 1', { timeoutMs: 120_000 });
    await cairn.ready();
    expect(await cairn.journal()).toContain('Watchdog timeout');
  });
});
