/** What sits on a device, for a status that nobody may wait for: a drive that sleeps is not woken for it. */
import type { PluginContext } from '$lib/plugin-api/storage';
import type { Signature } from '$lib/shared/wire/drives';
import { isAsleep } from '../host/smart';
import type { Host } from '../host/types';

const asProbed = (signatures: Signature[]): Awaited<ReturnType<PluginContext['probe']>> => {
  const found = signatures.find(({ usage }) => usage !== 'partition-table') ?? signatures[0];
  return found ? { type: found.type, uuid: found.uuid, label: found.label } : null;
};

/** Reads the device, or, while its drive sleeps, takes what was read before it fell asleep: nobody has written since. */
export const gentleProbe =
  (host: Pick<Host, 'probe' | 'blockDevices' | 'commands'>): PluginContext['probe'] =>
  async (path) => {
    const id = host.blockDevices.driveIdOf(path);
    const drive = host.blockDevices.current().find((one) => one.id === id);
    if (!drive?.probed || !(await isAsleep(host.commands, drive))) return host.probe(path);
    const node = [drive, ...drive.partitions].find((one) => one.path === path);
    return node ? asProbed(node.signatures) : host.probe(path);
  };
