/** Which drives are named when a filesystem over several drives is mounted. */
import type { Action, DriveRef } from '$lib/plugin-api/plan';
import type { Host } from './types';

/**
 * A mount of those drives only that carry the filesystem now: a plan was made before the change that it is part of, and in
 * the middle of that a drive has left already or has not joined yet. With none of them it stays as it is, and mount(8) has
 * the word.
 * @throws AppError host_command when a drive cannot be probed
 */
export async function withMembersOfNow(
  action: Action,
  host: Pick<Host, 'probe' | 'blockDevices'>,
): Promise<Action> {
  if (action.do !== 'mount' || !action.devices || action.uuid === undefined) return action;
  const { source, filesystem, uuid } = action;
  const carries = async (ref: DriveRef): Promise<boolean> => {
    const path = host.blockDevices.pathOf(ref);
    const found = path === null ? null : await host.probe(path);
    return found?.type === filesystem && found.uuid === uuid;
  };
  const answers = await Promise.all(action.devices.map(carries));
  const devices = action.devices.filter((_, index) => answers[index]);
  const [first] = devices;
  if (!first) return action;
  const isAmong = 'drive' in source && devices.some(({ drive }) => drive === source.drive);
  return { ...action, source: isAmong ? source : first, devices };
}
