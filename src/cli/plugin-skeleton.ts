/** What a new plugin begins with: one that works. plugins/README.md explains each part. */
const WIPEFS = '/usr/sbin/wipefs';
const MKFS = '/usr/sbin/mkfs.ext2';
/** The types of the plugin API, beside the plugin: build/cli has them. */
export const TYPES = 'plugin-api.d.ts';

export const skeleton = (id: string): Record<string, string> => ({
  'plugin.json': `${JSON.stringify(
    {
      ...{ api: 1, id, version: '0.1.0', name: id },
      ...{ description: 'One drive with an ext2 filesystem.', entry: 'plugin.js', programs: [WIPEFS, MKFS] },
    },
    null,
    2,
  )}\n`,
  // Node takes its files for modules by this.
  'package.json': `${JSON.stringify({ name: id, version: '0.1.0', private: true, type: 'module' }, null, 2)}\n`,
  'plugin.js': module(id),
  'README.md': readme(id),
});

const readme = (id: string): string => `# ${id}

A plugin for Cairn that makes pools of one drive with an ext2 filesystem.

- **On the drive**: an ext2 filesystem over all of it, whose UUID is the pool's, and \`.cairn/pool.json\` in its root.
- **Needs**: wipefs (util-linux), mkfs.ext2 (e2fsprogs), and a kernel that can mount ext2.
- **Survives**: the loss of no drive.

\`cairn plugins check .\` grades it.
`;

const module = (
  id: string,
): string => `// One drive with an ext2 filesystem, until you change it. Everything comes from the argument; nothing is imported.
const ID = '${id}';
const MKFS = '/usr/sbin/mkfs.ext2';

/** @type {import('./${TYPES}').PluginModule['default']} */
export default (sdk) => {
  /** @param {import('./${TYPES}').PoolSpec} spec */
  const partsOf = ({ drives: [drive], guid }) => {
    if (!drive) throw new TypeError(\`pool \${guid} has no drive\`);
    return { drive, at: { drive: drive.id } };
  };
  /** @param {import('./${TYPES}').PoolSpec} spec */
  const filesystem = (spec) => ({ source: partsOf(spec).at, filesystem: 'ext2' });
  return sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: '${id}',
    version: '0.1.0',
    description: 'One drive with an ext2 filesystem, without a journal.',
    programs: [sdk.WIPEFS, MKFS],
    layouts: [
      {
        id: 'single',
        title: 'Single',
        description: 'One drive.',
        minDrives: 1,
        maxDrives: 1,
        tolerance: () => 0,
      },
    ],
    options: {
      inodeBytes: sdk.integer({
        label: 'Inode size',
        help: 'Bytes; a power of two.',
        default: 256,
        min: 128,
        max: 1024,
      }),
    },
    minimumDriveBytes: 16 * 1024 ** 2,
    check: (context) =>
      sdk.checkPrograms(context, [{ program: MKFS, argv: ['-V'], package: 'e2fsprogs' }], ['ext2']),
    usableBytes: ({ driveSizesBytes }) => driveSizesBytes[0] ?? 0,
    create: (spec) => {
      const { drive, at } = partsOf(spec);
      const inode = String(spec.options.inodeBytes);
      return [
        ...sdk.wipeDrive(drive),
        sdk.makeFilesystem({
          title: 'Make an ext2 filesystem',
          run: { do: 'exec', program: MKFS, argv: ['-q', '-F', '-I', inode, '-U', spec.guid, '--', at] },
          at: [at],
          look: sdk.looks.filesystem(at, 'ext2', spec.guid),
        }),
        ...sdk.makeMountPoint(spec),
        sdk.mountFilesystem(spec, filesystem(spec)),
        ...sdk.writeIdentity(ID, spec),
      ];
    },
    destroy: (spec) => {
      const { drive, at } = partsOf(spec);
      const erase = { title: 'Erase the ext2 filesystem', at, type: 'ext2', uuid: spec.guid };
      return [
        sdk.unmountFilesystem(spec, filesystem(spec)),
        ...sdk.removeMountPoint(spec),
        ...(drive.present ? [sdk.wipeFilesystem(erase)] : []),
      ];
    },
    mount: (spec) => [...sdk.makeMountPoint(spec), sdk.mountFilesystem(spec, filesystem(spec))],
    unmount: (spec) => [sdk.unmountFilesystem(spec, filesystem(spec))],
    async status(context, spec) {
      const { drive } = partsOf(spec);
      const isThere = context.path({ drive: drive.id }) !== null;
      const mounted = context.mounts().some((mount) => mount.path === spec.mountPath);
      const usage = mounted && isThere ? await context.usage(spec.mountPath) : null;
      const sizes = {
        sizeBytes: usage?.sizeBytes ?? null,
        usedBytes: usage?.usedBytes ?? null,
        availableBytes: usage?.availableBytes ?? null,
      };
      if (!isThere)
        return {
          poolStatus: 'missing',
          health: 'critical',
          healthText: \`Drive \${drive.serial ?? drive.label} is not there. Plug it in again.\`,
          mounted,
          ...sizes,
          members: [{ driveId: drive.id, status: 'missing', detail: null }],
        };
      return {
        poolStatus: mounted ? 'active' : 'inactive',
        health: 'healthy',
        healthText: null,
        mounted,
        ...sizes,
        members: [{ driveId: drive.id, status: 'active', detail: null }],
      };
    },
  });
};
`;
