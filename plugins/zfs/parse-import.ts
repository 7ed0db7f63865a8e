/** `zpool import` without a name: pools that are on the drives and not imported. Source: show_import of OpenZFS. */
import { fieldsOf, isDeviceState, type DeviceState } from './parse-status';

export interface ImportableDevice {
  name: string;
  state: DeviceState | null;
  section: 'data' | 'logs' | 'cache' | 'spares' | 'special' | 'dedup';
  /** Name of the top-level vdev above it, `mirror-0`; null: it stands alone. */
  above: string | null;
}
export interface ImportablePool {
  name: string;
  guid: string;
  state: DeviceState;
  /** Why it cannot simply be imported, in zpool's words. */
  status: string | null;
  comment: string | null;
  devices: ImportableDevice[];
}

const SECTIONS = ['logs', 'cache', 'spares', 'special', 'dedup'] as const;
const LINE = /^( *)(\S+)(?: +([A-Z]+)(?: +\S.*)?)? *$/;

function devicesOf(lines: string[]): ImportableDevice[] {
  const devices: (ImportableDevice & { depth: number })[] = [];
  let section: ImportableDevice['section'] = 'data';
  for (const line of lines) {
    if (line.trim() === '') continue;
    const heading = SECTIONS.find((name) => name === line.trim());
    if (heading && !line.startsWith(' ')) {
      section = heading;
      continue;
    }
    const [, indent, name, state = ''] = LINE.exec(line) ?? [];
    if (indent === undefined || !name || (state !== '' && !isDeviceState(state)))
      throw new Error(`the device ${JSON.stringify(line)}`);
    const depth = indent.length / 2;
    if (depth === 0) continue;
    const above = devices.findLast((device) => device.section === section && device.depth < depth);
    devices.push({
      name,
      state: isDeviceState(state) ? state : null,
      section,
      above: above?.name ?? null,
      depth,
    });
  }
  const parents = new Set(devices.map((device) => device.above));
  return devices
    .filter((device) => !parents.has(device.name))
    .map(({ name, state, section: where, above }) => ({ name, state, section: where, above }));
}

/** @throws Error when a line is not understood */
export function parseImportable(text: string): ImportablePool[] {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'no pools available to import') return [];
  return trimmed
    .split(/^ *(?=pool: )/m)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const fields = fieldsOf(block);
      const one = (name: string): string | null => fields.get(name)?.join(' ').trim() ?? null;
      const name = one('pool');
      const guid = one('id');
      const state = one('state')?.split(' ')[0] ?? '';
      if (!name || !guid || !/^\d+$/.test(guid) || !isDeviceState(state))
        throw new Error('no pool, id or state');
      return {
        name,
        guid,
        state,
        status: one('status'),
        comment: one('comment'),
        devices: devicesOf(fields.get('config') ?? []),
      };
    });
}
