/** Cairn as its unit runs it, with real drives, real boots and a real end. */
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cairn } from './cairn.ts';
import type { Machine } from './machine.ts';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 400 * MiB }));
const single = (label: string, serial: string) => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial }],
});
const mirror = (label: string, ...serials: string[]) => ({
  label,
  plugin: 'btrfs',
  layout: 'raid1',
  drives: serials.map((serial) => ({ serial })),
});
/** When the kernel wrote such a line, in milliseconds since the epoch. */
async function kernelSaid(machine: Machine, pattern: string): Promise<number> {
  const line = await machine.check(`
    up=$(dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\].*${pattern}.*/\\1/p' | tail -1)
    [ "$up" ] && echo "$up $(cut -d' ' -f1 /proc/uptime) $(date +%s.%N)"`);
  const [then = NaN, uptime = NaN, now = NaN] = line.split(' ').map(Number);
  return (now - uptime + then) * 1_000;
}
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
  it('makes pools that the whole machine sees, and that stay while it is gone', async () => {
    const cairn = await lab.cairn({ drives: drives('P1', 'P2', 'P3') });
    const { machine } = cairn;
    await cairn.drive('P3');
    const { status, body } = await cairn.api.get<{ drives: { serial: string; group: string }[] }>(
      '/api/v1/drives',
    );
    expect(status).toBe(200);
    const groups = Object.fromEntries(body.drives.map(({ serial, group }) => [serial, group]));
    expect(groups).toMatchObject({ P1: 'free', P2: 'free', P3: 'free', 'lab-root': 'protected' });

    const pools = [
      await cairn.createPool(single('One', 'P1')),
      await cairn.createPool(mirror('Two', 'P2', 'P3')),
    ];
    expect(pools[1]?.members.map((member) => `${member.serial} ${member.status}`)).toEqual([
      'P2 active',
      'P3 active',
    ]);
    await cairn.stop();
    // As any other program of the machine sees it, PID 1 among them.
    for (const { mountPath } of pools) {
      await machine.check(`echo x >${mountPath}/file && grep -q ' ${mountPath} ' /proc/1/mountinfo`);
    }
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

  it('tells within two seconds that a drive was pulled, and knows it again at another port', async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B') });
    const { machine } = cairn;
    const [a, b] = [await cairn.drive('A'), await cairn.drive('B')];
    await machine.pullDrive('A');
    const all = await cairn.until(
      () => cairn.drives(),
      (drives) => drives.some((drive) => drive.id === a.id && !drive.present),
    );
    const gone = all.find((drive) => drive.id === a.id);
    expect(gone).toMatchObject({ serial: 'A', group: 'gone', kernelName: null });
    // From the kernel's word to Cairn's, both by the guest's clock.
    const pulledAt = await kernelSaid(machine, `\\[${a.kernelName}\\] Synchronizing SCSI cache`);
    expect((gone?.lastSeenAt ?? 0) - pulledAt).toBeLessThan(2_000);
    await machine.pullDrive('B');
    await machine.replug('B', { port: 20 });
    await machine.replug('A', { port: 21 });
    expect(await cairn.drive('A')).toMatchObject({ id: a.id, kernelName: b.kernelName });
    expect(await cairn.drive('B')).toMatchObject({ id: b.id, kernelName: a.kernelName });
    expect((await cairn.drives()).filter(({ serial }) => serial === 'A' || serial === 'B')).toHaveLength(2);

    // Two drives of one name: neither is used, because nobody could say which.
    const claim = { tells: 'TWIN', wwn: '5000c500aabbccdd', sizeBytes: 400 * MiB };
    await machine.addDrive({ serial: 'twin-1', ...claim });
    await machine.addDrive({ serial: 'twin-2', ...claim });
    const twins = await cairn.until(
      async () => (await cairn.drives()).filter(({ serial }) => serial === 'TWIN'),
      (found) => found.length === 2 && found.every(({ identity }) => identity === 'ambiguous'),
    );
    for (const twin of twins) expect(twin.issues).not.toEqual([]);
  });
});

describe('a power cut', () => {
  const CUTS: { step: string; request: ReturnType<typeof single>; late?: string }[] = [
    { step: 'partition-drive', request: single('New', 'A') },
    { step: 'make-filesystem', request: single('New', 'A') },
    { step: 'make-filesystem', request: mirror('New', 'A', 'B'), late: 'B' },
    { step: 'write-identity', request: mirror('New', 'A', 'B') },
  ];

  it.each(CUTS)(
    'in the middle of $step of $request.plugin ends in a verdict without leftovers, and other pools keep what they had',
    async ({ step, request, late }) => {
      const serials = request.drives.map(({ serial }) => serial);
      const cairn = await lab.cairn({ drives: drives('K', ...serials) });
      const { machine } = cairn;
      const kept = await cairn.createPool(single('Kept', 'K'));
      await machine.check(`echo marker >${kept.mountPath}/marker; sync`);
      const { guid, operation } = await cairn.startPool(request);
      await inStep(cairn, operation.id, step);
      await machine.powerCut();
      if (late !== undefined) await machine.pullDrive(late);
      await cairn.boot();
      // Its enclosure shows it when Cairn runs already.
      if (late !== undefined) await machine.replug(late);
      await expectVerdict(cairn, guid, operation.id, ...serials);
      // Mounted again by Cairn, after every boot, by an operation of its own.
      await cairn.until(
        () => cairn.pool(kept.guid),
        ({ mounted }) => mounted,
      );
      expect(await machine.check(`cat ${kept.mountPath}/marker; ls /mnt`)).toBe(
        `marker\n${basename(kept.mountPath)}`,
      );
    },
  );

  it('or a reboot brings a pool back, mounted, with Cairn started by systemd', async () => {
    const cairn = await lab.cairn({ drives: drives('A', 'B') });
    const { guid, mountPath } = await cairn.createPool(mirror('Two', 'A', 'B'));
    await cairn.machine.check(`echo marker >${mountPath}/marker; sync`);
    await cairn.enable();
    await cairn.machine.reboot();
    await cairn.ready();
    expect(await cairn.pool(guid)).toMatchObject({ state: 'ready', mounted: true });
    expect(await cairn.machine.check(`cat ${mountPath}/marker`)).toBe('marker');
  });
});
