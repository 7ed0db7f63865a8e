/** What LVM says about some drives, and which of it belongs to a pool. Changes nothing. */
import type { Parser } from '../../src/lib/plugin-api/parse';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { JsonObject } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { LVM, reportArgv } from './lvm';
import { GUID_TAG } from './names';
import { parseReport, type Group, type Report, type Volume } from './parse-report';

export interface Parsers {
  report: Parser<Report>;
}
export const parsersOf = (sdk: PluginSdk): Parsers => ({
  report: sdk.defineParser('lvm fullreport', parseReport),
});

/** Who a group has to be. */
export interface Wanted {
  group: string;
  guid: string;
  groupUuid: string | null;
}

export async function readReport(context: PluginContext, parsers: Parsers, paths: string[]): Promise<Report> {
  if (paths.length === 0) return { groups: [], loose: [] };
  return parsers.report((await context.read(LVM, reportArgv(paths))).stdout);
}

export const isGroup = (group: Group, wanted: Wanted): boolean =>
  wanted.groupUuid === null
    ? group.name === wanted.group && group.tags.includes(`${GUID_TAG}${wanted.guid}`)
    : group.uuid === wanted.groupUuid;

export const volumeIn = (group: Group, name: string): Volume | null =>
  group.volumes.find((volume) => volume.name === name) ?? null;

/** Copies of a raid volume, or pieces of a thin pool, that lie below a volume: by their names, as LVM makes them. */
export const partsOf = (group: Group, name: string): Volume[] =>
  group.volumes.filter(
    (volume) =>
      volume.name.startsWith(`${name}_`) &&
      /^_(rimage|rmeta|tdata|tmeta)/.test(volume.name.slice(name.length)),
  );

/** Paths of the drives below a volume, through every part of it; null stands for one that is not there. */
export function drivesBelow(group: Group, volume: Volume, depth = 0): (string | null)[] {
  return volume.segments.flatMap((segment) =>
    segment.devices.flatMap((device) => {
      if (device === null || device.startsWith('/dev/')) return [device];
      const below = volumeIn(group, device);
      return below && depth < 5 ? drivesBelow(group, below, depth + 1) : [];
    }),
  );
}

export interface Asked extends Wanted {
  drives: string[];
}
/** The arguments that every look of this plugin has. */
export function askedOf(args: JsonObject): Asked {
  const { drives, group, guid, groupUuid } = args;
  if (!Array.isArray(drives) || typeof group !== 'string' || typeof guid !== 'string')
    throw new TypeError('a look of the plugin lvm without its pool');
  return {
    drives: drives.map(String),
    group,
    guid,
    groupUuid: typeof groupUuid === 'string' ? groupUuid : null,
  };
}

export interface Seen {
  report: Report;
  /** The pool's group; null: none of its drives has it. */
  group: Group | null;
  /** Drives that are not there. */
  gone: string[];
}
export async function see(context: PluginContext, parsers: Parsers, asked: Asked): Promise<Seen> {
  const paths = asked.drives.map((id) => context.path({ drive: id }));
  const report = await readReport(
    context,
    parsers,
    paths.filter((path) => path !== null),
  );
  return {
    report,
    group: report.groups.find((group) => isGroup(group, asked)) ?? null,
    gone: asked.drives.filter((_id, index) => paths[index] === null),
  };
}
