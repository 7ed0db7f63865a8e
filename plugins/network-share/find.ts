/** Shares that are mounted already, by fstab or by hand, wherever that is. Told by the mount table: no server is asked. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { FoundPool, PluginContext } from '../../src/lib/plugin-api/storage';
import { keyOf, problems, type ShareKind } from './parts';

const KINDS: Record<string, ShareKind> = { nfs: 'nfs', nfs4: 'nfs', cifs: 'smb', smb3: 'smb' };
/** Of the pools of this plugin that were found: the same share at the same place has the same GUID on every start. */
const NAMESPACE = '5a4e9c6e-0f0f-4f0b-9d3e-7a3c1b6f2d10';
const TITLES = { nfs: 'NFS', smb: 'SMB' } as const;

type Mount = ReturnType<PluginContext['mounts']>[number];
interface Address {
  server: string;
  /** Export of NFS, share of SMB. */
  place: string;
}

function addressOf(kind: ShareKind, source: string): Address | null {
  const match =
    kind === 'nfs' ? /^(\[[^\]]+\]|[^:[\]]+):(\/.*)$/.exec(source) : /^\/\/([^/]+)\/(.+)$/.exec(source);
  const [, host = '', place = ''] = match ?? [];
  return match ? { server: host.replace(/^\[|\]$/g, ''), place } : null;
}

function obstacleOf(kind: ShareKind, options: FoundPool['options']): string | null {
  const [problem] = problems({ layout: kind, options, secrets: [] });
  if (problem) return `${problem.message} ${problem.remedy}`;
  return kind === 'smb'
    ? 'Cairn does not know the password with which it was mounted, so it could not mount it again. Unmount it, then make a pool of the same share.'
    : null;
}

export function finderOf(sdk: PluginSdk) {
  function poolAt(mount: Mount, kind: ShareKind): FoundPool {
    const address = addressOf(kind, mount.source);
    const options = {
      server: address?.server ?? '',
      [kind === 'nfs' ? 'export' : 'share']: address?.place ?? '',
      readOnly: mount.readOnly,
    };
    const key = keyOf(mount.source, mount.path);
    return {
      key,
      guid: sdk.derivedUuid(NAMESPACE, key),
      label: mount.path.split('/').at(-1) ?? '',
      layout: kind,
      options,
      facts: {},
      members: [],
      missing: [],
      sizeBytes: null,
      description: `${TITLES[kind]} share ${mount.source}, mounted at ${mount.path}`,
      byCairn: false,
      mountedAt: mount.path,
      obstacle: obstacleOf(kind, options),
      sealed: 'What is in it is on another machine. Look at it there, or where it is mounted.',
    };
  }

  return async (context: PluginContext): Promise<FoundPool[]> => {
    // Of several mounts over each other only the last one can be reached.
    const last = new Map(context.mounts().map((mount) => [mount.path, mount]));
    return [...last.values()].flatMap((mount) => {
      const kind = KINDS[mount.filesystem];
      return kind ? [poolAt(mount, kind)] : [];
    });
  };
}
