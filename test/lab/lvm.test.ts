/** LVM pools on a real kernel: every layout made, hurt, mended and taken away by the plugin's own plans. */
import { expect, it } from 'vitest';
import type { PoolSpec } from '../../src/lib/plugin-api/storage.ts';
import makePlugin from '../../plugins/lvm/plugin.server.ts';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import { PlanRunner, pluginSdk } from './run-plan.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
const plugin = makePlugin(pluginSdk);
const LONG_MS = 570_000;
const SIZE = 400 * MiB;

interface Pool {
  machine: Machine;
  runner: PlanRunner;
  spec: PoolSpec;
}

async function pool(
  machine: Machine,
  layout: string,
  serials: string[],
  options: PoolSpec['options'] = {},
): Promise<Pool> {
  const runner = new PlanRunner(machine, plugin);
  const drives = [];
  for (const [slot, serial] of serials.entries()) drives.push(await runner.drive(serial, slot));
  const spec: PoolSpec = {
    guid: '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a5b',
    label: layout,
    layout,
    options: { filesystem: 'ext4', overcommitPercent: 100, ...options },
    mountPath: '/mnt/pool',
    mountPathExisted: false,
    drives,
  };
  return { machine, runner, spec };
}
/** The same pool with the drives as they are now. */
async function now(
  { runner, spec }: Pool,
  serials = spec.drives.map((drive) => drive.id),
): Promise<PoolSpec> {
  const drives = [];
  for (const [slot, serial] of serials.entries()) {
    const found = await runner.drive(serial, slot);
    const known = spec.drives.find((drive) => drive.id === serial);
    drives.push({ ...found, sizeBytes: found.sizeBytes || (known?.sizeBytes ?? 0) });
  }
  return { ...spec, drives };
}
async function status(of: Pool, spec: PoolSpec) {
  await of.runner.refresh();
  return plugin.status(of.runner.context, spec);
}

const fill = (machine: Machine): Promise<string> =>
  machine.check(
    'dd if=/dev/urandom of=/mnt/pool/file bs=1M count=20 conv=fsync status=none; sha256sum /mnt/pool/file',
  );
const checksum = (machine: Machine): Promise<string> =>
  machine.check('sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum /mnt/pool/file');
/** Nothing is left: no signature on any drive, no device, no folder. */
async function isClean(machine: Machine, ...serials: string[]): Promise<void> {
  for (const path of await machine.paths(...serials))
    expect(await machine.check(`wipefs --no-act --parsable --noheadings ${path}`)).toBe('');
  expect(await machine.check('ls /dev/mapper')).toBe('control');
  expect(await machine.check('ls /mnt')).not.toContain('pool');
}
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: SIZE }));
const synced = (machine: Machine): Promise<string> =>
  machine.until('dmsetup status cairn_3b0c6f2e-data | grep -q " idle "', {
    timeoutMs: 120_000,
    everyMs: 500,
  });

it(
  'a mirror that loses a drive names it at once, and is rebuilt onto another',
  { timeout: LONG_MS },
  async () => {
    const machine = await lab.machine({ drives: drives('A', 'B', 'C') });
    const made = await pool(machine, 'mirror', ['A', 'B']);
    await made.runner.run(plugin.create(made.spec));
    const sum = await fill(machine);
    await synced(machine);
    await machine.pullDrive('B');
    const hurt = await now(made);
    const reading = await status(made, hurt);
    expect(reading).toMatchObject({
      poolStatus: 'degraded',
      members: [{ status: 'active' }, { status: 'missing' }],
    });
    expect(reading.healthText).toContain('Drive B');
    const [, old] = hurt.drives;
    if (!old) throw new Error('no second drive');
    await made.runner.run(plugin.replace(hurt, { old, fresh: await made.runner.drive('C', 1) }));
    const mended = await now(made, ['A', 'C']);
    expect(await status(made, mended)).toMatchObject({ poolStatus: 'active', health: 'healthy' });
    expect(await checksum(machine)).toBe(sum);
    await made.runner.run(plugin.destroy(mended));
    await isClean(machine, 'A', 'C');
  },
);

it(
  'a drive of a mirror is let go by a move, with both copies whole all the time',
  { timeout: LONG_MS },
  async () => {
    const machine = await lab.machine({ drives: drives('A', 'B', 'C') });
    const made = await pool(machine, 'mirror', ['A', 'B']);
    await made.runner.run(plugin.create(made.spec));
    const sum = await fill(machine);
    await synced(machine);
    const [, old] = made.spec.drives;
    if (!old) throw new Error('no second drive');
    await made.runner.run(plugin.replace(made.spec, { old, fresh: await made.runner.drive('C', 1) }));
    const moved = await now(made, ['A', 'C']);
    expect(await status(made, moved)).toMatchObject({ poolStatus: 'active', health: 'healthy' });
    expect(await checksum(machine)).toBe(sum);
    await made.runner.run(plugin.destroy(moved));
    await isClean(machine, 'A', 'B', 'C');
  },
);

it(
  'a parity volume that misses a drive after a power cut is started degraded, and rebuilt',
  { timeout: LONG_MS },
  async () => {
    const machine = await lab.machine({ drives: drives('A', 'B', 'C', 'D') });
    const made = await pool(machine, 'raid5', ['A', 'B', 'C'], { filesystem: 'xfs' });
    await made.runner.run(plugin.create(made.spec));
    const sum = await fill(machine);
    await synced(machine);
    await machine.pullDrive('B');
    await machine.powerCut();
    await machine.boot({ order: ['D', 'C', 'A'] });
    const hurt = await now(made);
    expect(await machine.check('ls /dev/mapper')).toBe('control');
    const reading = await status(made, hurt);
    expect(reading).toMatchObject({ poolStatus: 'degraded', mounted: false });
    expect(reading.healthText).toContain('Drive B');
    expect(await plugin.find(made.runner.context)).toMatchObject([
      { guid: made.spec.guid, byCairn: true, layout: 'raid5', missing: [{}] },
    ]);
    await made.runner.run(plugin.mount(hurt));
    expect(await checksum(machine)).toBe(sum);
    const [, old] = hurt.drives;
    if (!old) throw new Error('no second drive');
    await made.runner.run(plugin.replace(hurt, { old, fresh: await made.runner.drive('D', 1) }));
    const mended = await now(made, ['A', 'D', 'C']);
    expect(await status(made, mended)).toMatchObject({ poolStatus: 'active', health: 'healthy' });
    expect(await checksum(machine)).toBe(sum);
    await made.runner.run(plugin.unmount(mended));
    await made.runner.run(plugin.destroy(mended));
    await isClean(machine, 'A', 'C', 'D');
  },
);

it(
  'a thin volume promises more than there is, says so, and goes back to a snapshot',
  { timeout: LONG_MS },
  async () => {
    const machine = await lab.machine({ drives: drives('A', 'B') });
    const made = await pool(machine, 'thin', ['A'], { overcommitPercent: 200 });
    await made.runner.run(plugin.create(made.spec));
    const { runner, spec } = made;
    const sum = await fill(machine);
    await runner.run(plugin.snapshots.create(spec, { name: 'before upgrade' }));
    await machine.check(
      'echo changed >/mnt/pool/file; dd if=/dev/zero of=/mnt/pool/more bs=1M count=320 conv=fsync status=none',
    );
    const reading = await status(made, spec);
    expect(reading.healthText).toMatch(/nearly full: \d+ % .* promises more/);
    expect(reading.availableBytes).toBeLessThan(100 * MiB);
    await runner.run(plugin.snapshots.rollBack(spec, { name: 'before upgrade', keepAs: 'after' }));
    expect(await checksum(machine)).toBe(sum);
    await runner.refresh();
    const listed = await plugin.snapshots.list(runner.context, spec);
    expect(listed.map(({ name, readOnly }) => [name, readOnly]).toSorted()).toEqual([
      ['after', true],
      ['before upgrade', true],
    ]);
    await runner.run(plugin.snapshots.destroy(spec, { name: 'after' }));
    const { sizeBytes } = await status(made, spec);
    await runner.run(plugin.expand(spec, { added: [await runner.drive('B', 1)] }));
    const grown = await now(made, ['A', 'B']);
    expect((await status(made, grown)).sizeBytes).toBeGreaterThan((sizeBytes ?? 0) * 1.8);
    expect(await checksum(machine)).toBe(sum);
    await runner.run(plugin.destroy(grown));
    await isClean(machine, 'A', 'B');
  },
);
