/** Putting drives into a running guest, taking them out, and breaking them. */
import * as drives from './drives.ts';
import type { Drive } from './drives.ts';
import type { Qmp } from './qmp.ts';

const rawNode = (drive: Drive): string => `raw${drive.number}`;

export async function plug(qmp: Qmp, drive: Drive): Promise<void> {
  await qmp.execute('object-add', drives.throttleGroup(drive));
  for (const node of drives.blockNodes(drive)) await qmp.execute('blockdev-add', node);
  await qmp.execute('device_add', drives.device(drive));
}

/** Returns when the guest has let go of it. */
export async function unplug(qmp: Qmp, drive: Drive): Promise<void> {
  const id = drives.deviceId(drive);
  const from = qmp.events.length;
  await qmp.execute('device_del', { id });
  await qmp.event('DEVICE_DELETED', (data) => data.device === id, { from });
  for (const node of [id, drive.faultNode, rawNode(drive)])
    if (node) await qmp.execute('blockdev-del', { 'node-name': node });
  await qmp.execute('object-del', { id: drives.throttleGroup(drive).id });
}

/** A blkdebug node cannot change its mind: a new one takes its place, under the other of two names. */
export async function applyFaults(qmp: Qmp, drive: Drive): Promise<void> {
  const old = drive.faultNode;
  drive.faultNode = null;
  if (drive.reads !== 'none' || drive.writes !== 'none') {
    const name = `fault${drive.number}`;
    drive.faultNode = old === name ? `${name}-other` : name;
    await qmp.execute('blockdev-add', drives.blkdebugNode(drive, drive.faultNode));
  }
  await qmp.execute('blockdev-reopen', { options: [drives.throttleNode(drive)] });
  if (old) await qmp.execute('blockdev-del', { 'node-name': old });
}

export async function applyLimits(qmp: Qmp, drive: Drive): Promise<void> {
  await qmp.execute('qom-set', {
    path: drives.throttlePath(drive),
    property: 'limits',
    value: drives.throttleLimits(drive.limits),
  });
}
