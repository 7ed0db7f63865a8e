/** The plans of a pool on a share. Nothing in them touches a file of the server. Pure. */
import type { Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolSpec } from '../../src/lib/plugin-api/storage';
import { ID, partsOf } from './parts';

export const SERVER_LOOK = `${ID}/server`;

export function plansOf(sdk: PluginSdk) {
  const mounted = (spec: PoolSpec) => {
    const { source, filesystem, options } = partsOf(spec);
    return { source: { source }, filesystem, options };
  };
  function findServer(spec: PoolSpec): Step {
    const { server, port } = partsOf(spec);
    return {
      name: 'find-server',
      title: `Ask whether ${server} answers`,
      run: { do: 'wait' },
      undo: 'nothing',
      look: { look: SERVER_LOOK, args: { server, port } },
    };
  }
  const mount = (spec: PoolSpec): Step[] => [
    findServer(spec),
    ...sdk.makeMountPoint(spec),
    sdk.mountFilesystem(spec, mounted(spec)),
  ];
  const unmount = (spec: PoolSpec): Step[] => [sdk.unmountFilesystem(spec, mounted(spec))];
  return {
    create: mount,
    mount,
    unmount,
    destroy: (spec: PoolSpec): Step[] => [...unmount(spec), ...sdk.removeMountPoint(spec)],
    /** The label is Cairn's alone: on the server nothing is called so. */
    rename: (spec: PoolSpec, newLabel: string): Step[] => [
      {
        name: 'rename',
        title: `Call it ${newLabel}; on the server nothing changes`,
        run: { do: 'wait' },
        undo: 'nothing',
        look: sdk.mountedLook(spec, mounted(spec)),
      },
    ],
  };
}
