/** `lvm fullreport --reportformat json`: text to data. Everything in it is a string; numbers in bytes without a suffix. */
export interface Physical {
  uuid: string;
  /** null: the group says that it has it, and it is not there. */
  path: string | null;
  /** The group was changed while it was away: it has to be taken in again. */
  markedMissing: boolean;
  extents: number;
  usedExtents: number;
}
export interface Segment {
  type: string;
  stripes: number;
  /** Paths of drives, or names of volumes below; a missing drive is told as null. */
  devices: (string | null)[];
}
export interface Volume {
  name: string;
  /** LVM shows it in brackets: a part of another volume. */
  hidden: boolean;
  sizeBytes: number;
  active: boolean;
  readOnly: boolean;
  /** First letter of lv_attr: `I` is a copy that is not in sync. */
  kind: string;
  role: string;
  health: string;
  madeAt: number | null;
  dataPercent: number | null;
  metadataPercent: number | null;
  copyPercent: number | null;
  syncAction: string | null;
  mismatches: number | null;
  origin: string | null;
  thinPool: string | null;
  movesFrom: string | null;
  segments: Segment[];
}
export interface Group {
  name: string;
  uuid: string;
  tags: string[];
  extentBytes: number;
  freeExtents: number;
  missingCount: number;
  exported: boolean;
  physical: Physical[];
  volumes: Volume[];
}
export interface Report {
  groups: Group[];
  /** Physical volumes that no group has. */
  loose: Physical[];
}

type Row = Record<string, unknown>;
const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function rowsOf(section: Row, name: string): Row[] {
  const rows = section[name] ?? [];
  if (!Array.isArray(rows)) throw new Error(`${name} is no list`);
  return rows.map((row: unknown) => {
    if (!isRow(row)) throw new Error(`an entry of ${name} is no object`);
    return row;
  });
}
function textOf(row: Row, field: string): string {
  const value = row[field];
  if (typeof value !== 'string') throw new Error(`there is no ${field}`);
  return value;
}
function countOf(row: Row, field: string): number {
  const text = textOf(row, field);
  if (!/^\d+$/.test(text)) throw new Error(`${field} is ${JSON.stringify(text)}`);
  return Number(text);
}
/** Empty: LVM does not say. */
function numberOf(row: Row, field: string): number | null {
  const text = textOf(row, field);
  if (text === '') return null;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`${field} is ${JSON.stringify(text)}`);
  return value;
}
const orNull = (text: string): string | null => (text === '' ? null : text);
const plain = (name: string): string => name.replace(/^\[(.*)\]$/, '$1');

/** A drive that is not there is called `[unknown]`, or by a name that it had once, without a path. */
const pathOf = (name: string): string | null => (name.startsWith('/dev/') ? name : null);

const physicalOf = (row: Row): Physical => ({
  uuid: textOf(row, 'pv_uuid'),
  path: pathOf(textOf(row, 'pv_name')),
  markedMissing: textOf(row, 'pv_missing') !== '',
  extents: countOf(row, 'pv_pe_count'),
  usedExtents: countOf(row, 'pv_pe_alloc_count'),
});

/** `/dev/sda(1),/dev/sdb(0)` or `data_rimage_0(0)`. */
const devicesOf = (text: string): (string | null)[] =>
  text === ''
    ? []
    : text.split(',').map((entry) => {
        const match = /^(.+)\(\d+\)$/.exec(entry.trim());
        if (!match?.[1]) throw new Error(`devices has ${JSON.stringify(entry)}`);
        return match[1] === '[unknown]' ? null : plain(match[1]);
      });

const segmentOf = (row: Row): Segment => ({
  type: textOf(row, 'segtype'),
  stripes: countOf(row, 'stripes'),
  devices: devicesOf(textOf(row, 'devices')),
});

function volumeOf(row: Row, segments: Row[]): Volume {
  const name = textOf(row, 'lv_name');
  const time = numberOf(row, 'lv_time');
  return {
    name: plain(name),
    hidden: name.startsWith('['),
    sizeBytes: countOf(row, 'lv_size'),
    active: textOf(row, 'lv_active') !== '',
    readOnly: textOf(row, 'lv_permissions').startsWith('read-only'),
    kind: textOf(row, 'lv_attr').slice(0, 1),
    role: textOf(row, 'lv_role'),
    health: textOf(row, 'lv_health_status'),
    madeAt: time === null ? null : time * 1_000,
    dataPercent: numberOf(row, 'data_percent'),
    metadataPercent: numberOf(row, 'metadata_percent'),
    copyPercent: numberOf(row, 'copy_percent'),
    syncAction: orNull(textOf(row, 'raid_sync_action')),
    mismatches: numberOf(row, 'raid_mismatch_count'),
    origin: orNull(plain(textOf(row, 'origin'))),
    thinPool: orNull(plain(textOf(row, 'pool_lv'))),
    movesFrom: orNull(textOf(row, 'move_pv')),
    segments: segments.filter((segment) => textOf(segment, 'lv_name') === name).map(segmentOf),
  };
}

function groupOf(section: Row, row: Row): Group {
  const segments = rowsOf(section, 'seg');
  return {
    name: textOf(row, 'vg_name'),
    uuid: textOf(row, 'vg_uuid'),
    tags: textOf(row, 'vg_tags').split(',').filter(Boolean),
    extentBytes: countOf(row, 'vg_extent_size'),
    freeExtents: countOf(row, 'vg_free_count'),
    missingCount: countOf(row, 'vg_missing_pv_count'),
    exported: textOf(row, 'vg_exported') !== '',
    physical: rowsOf(section, 'pv').map(physicalOf),
    volumes: rowsOf(section, 'lv').map((volume) => volumeOf(volume, segments)),
  };
}

/** @throws Error when it is not the report that was asked for */
export function parseReport(text: string): Report {
  const document: unknown = JSON.parse(text);
  if (!isRow(document)) throw new Error('no object');
  if (!Array.isArray(document.report)) throw new Error('there is no report');
  const sections = rowsOf(document, 'report');
  return {
    groups: sections.flatMap((section) => rowsOf(section, 'vg').map((row) => groupOf(section, row))),
    loose: sections
      .filter((section) => rowsOf(section, 'vg').length === 0)
      .flatMap((section) => rowsOf(section, 'pv').map(physicalOf)),
  };
}
