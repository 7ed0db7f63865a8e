/** A folder of another machine, by NFS or SMB, as a pool: no drive of this machine is in it, and its files stay there. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { finderOf } from './find';
import { ID, keyOf, partsOf, problems } from './parts';
import { plansOf } from './plan';
import { lookAtServer, PERL } from './server';
import { status } from './status';

const MOUNT_NFS = '/usr/sbin/mount.nfs';
const MOUNT_CIFS = '/usr/sbin/mount.cifs';
const NFS = ['nfs'];
const SMB = ['smb'];
/** A server tells nobody that it has gone or come back. */
const POLL_MS = 5_000;

export default (sdk: PluginSdk) =>
  sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'Network share',
    version: '1.0.0',
    young: true,
    description: 'A folder of another machine, by NFS or SMB. Its files stay there, whatever is done here.',
    programs: [PERL, MOUNT_NFS, MOUNT_CIFS],
    layouts: [
      {
        id: 'nfs',
        title: 'NFS',
        description: 'An export of a Linux, BSD or NAS machine.',
        ...{ minDrives: 0, maxDrives: 0, tolerance: () => 0 },
      },
      {
        id: 'smb',
        title: 'SMB',
        description: 'A share of Windows, Samba or a NAS.',
        ...{ minDrives: 0, maxDrives: 0, tolerance: () => 0 },
      },
    ],
    options: {
      server: sdk.text({
        label: 'Server',
        help: 'Its name or its address, such as nas.home.arpa or 192.168.1.10.',
        default: '',
        maxLength: 253,
      }),
      export: sdk.text({
        label: 'Export',
        help: 'The path that the server exports, such as /srv/media.',
        default: '',
        maxLength: 1_000,
        layouts: NFS,
      }),
      share: sdk.text({
        label: 'Share',
        help: 'The name of the share, such as media.',
        default: '',
        maxLength: 80,
        layouts: SMB,
      }),
      username: sdk.text({
        label: 'User',
        help: 'Who Cairn is to the server. Empty: a guest.',
        default: '',
        maxLength: 104,
        layouts: SMB,
      }),
      password: sdk.secret({
        label: 'Password',
        help: 'Kept in a file that only root may read.',
        maxLength: 256,
        layouts: SMB,
      }),
      domain: sdk.text({
        label: 'Domain',
        help: 'Only where the user belongs to one.',
        default: '',
        maxLength: 255,
        layouts: SMB,
      }),
      nfsVersion: sdk.select({
        label: 'Version of NFS',
        help: 'The newest that both sides have, unless the server needs another.',
        default: 'auto',
        choices: [
          { value: 'auto', label: 'Newest of both' },
          ...['4.2', '4.1', '4.0', '3'].map((version) => ({ value: version, label: version })),
        ],
        layouts: NFS,
      }),
      smbVersion: sdk.select({
        label: 'Version of SMB',
        help: 'The newest that both sides have, unless the server needs another.',
        default: 'auto',
        choices: [
          { value: 'auto', label: 'Newest of both' },
          ...['3.1.1', '3.0', '2.1'].map((version) => ({ value: version, label: version })),
        ],
        layouts: SMB,
      }),
      waitSeconds: sdk.integer({
        label: 'Wait for the server, seconds',
        help: 'So long a program that reads or writes waits for a server that is gone; then it gets an error.',
        default: 30,
        min: 6,
        max: 600,
      }),
      readOnly: sdk.boolean({
        label: 'Read-only',
        help: 'Nothing of this machine can write there.',
        default: false,
      }),
    },
    minimumDriveBytes: 0,
    pollMs: POLL_MS,
    check: (context) =>
      sdk.checkPrograms(
        context,
        [
          { program: MOUNT_NFS, argv: ['-V'], package: 'nfs-common' },
          { program: MOUNT_CIFS, argv: ['-V'], package: 'cifs-utils' },
        ],
        ['nfs', 'cifs'],
      ),
    usableBytes: () => 0,
    problems,
    sourceOf: (spec) => partsOf(spec).source,
    ...plansOf(sdk),
    status,
    find: finderOf(sdk),
    keyOf: (spec) => keyOf(partsOf(spec).source, spec.mountPath),
    looks: { server: lookAtServer },
  });
