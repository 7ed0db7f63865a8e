/** What is in the drive for CDs of a machine, whenever it is started and now. Pure but for the question what is in it. */
import type { Action, PluginContext, Step, VmCdDrive, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import { CD_TARGET, cdDriveXml } from './domain-xml';
import type { Scope } from './plan-plug';
import { readDevices, type Where } from './virsh';

/** `--update` puts it in an empty drive too. */
const put = (id: string, path: string | null, scope: Scope): Action =>
  path === null
    ? run('change-media', id, CD_TARGET, '--eject', scope)
    : run('change-media', id, CD_TARGET, '--source', path, '--update', scope);

function step({ id }: VmSpec, scope: Scope, was: string | null, is: string | null): Step {
  const now = scope === '--live';
  return {
    name: now ? 'change-now' : 'change',
    title: `${is === null ? 'Empty the drive' : 'Put the CD into the drive'}${now ? ' now' : ', whenever it is started'}`,
    run: put(id, is, scope),
    undo: [put(id, was, scope)],
    look: look('cd', { id, target: CD_TARGET, where: now ? 'now' : 'config', is, was }),
  };
}

export const cdOf = (sdk: PluginSdk) => ({
  async read(context: PluginContext, { id }: VmSpec): Promise<VmCdDrive | null> {
    const inside = async (where: Where): Promise<string | null | undefined> => {
      const { disks } = await readDevices(sdk)(context, id, where);
      return disks.find(({ target, isCd }) => isCd && target === CD_TARGET)?.path;
    };
    const [config, now] = [await inside('config'), await inside('now')];
    return config === undefined || now === undefined ? null : { config, now };
  },
  change(spec: VmSpec, path: string | null, drive: VmCdDrive | null, isOn: boolean): Step[] {
    const stdin = cdDriveXml(sdk, spec);
    const give = (verb: string): Action => ({ ...run(verb, spec.id, '/dev/stdin', '--config'), stdin });
    const addDrive: Step = {
      name: 'add-drive',
      title: 'Give it a drive for CDs',
      run: give('attach-device'),
      undo: [give('detach-device')],
      look: look('cd-drive', { id: spec.id, target: CD_TARGET }),
    };
    const { config, now } = drive ?? { config: null, now: null };
    return [
      ...(drive ? [] : [addDrive]),
      ...(config === path ? [] : [step(spec, '--config', config, path)]),
      ...(isOn && now !== path ? [step(spec, '--live', now, path)] : []),
    ];
  },
});
