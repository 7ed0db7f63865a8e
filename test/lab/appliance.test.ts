/** Cairn as its unit runs it, with real drives, a real boot and a real end. */
import { describe, expect, it } from 'vitest';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
const drives = (...serials: string[]) => serials.map((serial) => ({ serial, sizeBytes: 400 * MiB }));

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
});
