import { Option } from 'commander';
import type { Drive } from '$lib/shared/wire/drives';
import type { Context } from '../context';
import { pick } from '../pick';
import { change } from '../run-operation';
import { inNaturalOrder, properties, table } from '../table';
import type { Noun } from '../verb';
import { size } from '../words';

const DRIVE = 'Id, serial number, bay label, or the name of the moment (sda)';

export async function driveOf({ api }: Context, word = ''): Promise<Drive> {
  const { drives } = await api.get<{ drives: Drive[] }>('/drives');
  return pick(drives, word, {
    noun: 'drive',
    names: (drive) => [drive.id, drive.serial, drive.bayLabel, drive.kernelName, drive.path],
    label: (drive) => drive.serial ?? drive.id,
  });
}
const at = (drive: Drive, verb: string): string => `/drives/${encodeURIComponent(drive.id)}/${verb}`;

export const drives: Noun = {
  name: 'drives',
  summary: 'Drives of this host',
  verbs: [
    {
      usage: 'list',
      summary: 'All drives, also those that are away',
      isDefault: true,
      async run({ api, show, width }) {
        const { drives: all } = await api.get<{ drives: Drive[] }>('/drives');
        const rows = inNaturalOrder(all, (drive) => drive.kernelName ?? `~${drive.serial ?? drive.id}`);
        show({ drives: all }, () =>
          table<Drive>(
            [
              { title: 'DEVICE', of: (drive) => drive.kernelName ?? 'away' },
              { title: 'SERIAL', of: (drive) => drive.serial, shrinks: true },
              { title: 'MODEL', of: (drive) => drive.model, shrinks: true },
              { title: 'SIZE', of: (drive) => size(drive.sizeBytes), right: true },
              { title: 'USE', of: (drive) => drive.pool?.label ?? drive.group },
              { title: 'HEALTH', of: (drive) => drive.health.status, state: true },
              {
                title: 'TEMP',
                of: ({ health }) =>
                  health.temperatureCelsius === null ? null : `${health.temperatureCelsius} °C`,
                right: true,
              },
            ],
            rows,
            width,
          ),
        );
      },
    },
    {
      usage: 'show <drive>',
      summary: 'One drive: identity, content, health',
      arguments: { drive: DRIVE },
      async run(context, [word]) {
        const drive = await driveOf(context, word);
        context.show(drive, () =>
          properties([
            ['id', drive.id],
            ['device', drive.path ?? 'away'],
            ['by-id', drive.byId],
            ['model', drive.model],
            ['serial', drive.serial],
            ['WWN', drive.wwn],
            ['size', size(drive.sizeBytes)],
            ['bus', drive.bus],
            ['bay', drive.bayLabel],
            ['group', drive.group],
            ['pool', drive.pool?.label ?? null],
            ['health', drive.health.status],
            ['', drive.health.text],
            ['power', drive.health.power],
            ['hours', drive.health.powerOnHours === null ? null : String(drive.health.powerOnHours)],
            ['set aside', drive.setAside?.why ?? null],
            ['wiped', drive.wiped?.description ?? null],
            ...drive.signatures.map((entry): [string, string] => [
              'holds',
              `${entry.type} ${entry.label ?? ''}`.trim(),
            ]),
            ...drive.partitions.map((part): [string, string] => [
              `part ${part.number}`,
              `${size(part.sizeBytes)} ${part.signatures.map(({ type, label }) => `${type}${label ? ` "${label}"` : ''}`).join(', ')}`,
            ]),
            ...drive.issues.map((issue): [string, string] => ['not free', issue.message]),
          ]),
        );
      },
    },
    {
      usage: 'wipe <drive>',
      summary: 'Take everything from a drive that says what is on it; shows it and asks first',
      arguments: { drive: DRIVE },
      async run(context, [word]) {
        return change(context, { path: at(await driveOf(context, word), 'wipe') });
      },
    },
    {
      usage: 'restore <drive>',
      summary: 'Take the last wipe of a drive back',
      arguments: { drive: DRIVE },
      async run(context, [word]) {
        return change(context, { path: at(await driveOf(context, word), 'restore-wipe') });
      },
    },
    {
      usage: 'test <drive>',
      summary: 'Have a drive test itself',
      arguments: { drive: DRIVE },
      options: [new Option('--long', 'read all of it, which takes hours')],
      async run(context, [word], { long }) {
        return change(context, {
          path: at(await driveOf(context, word), 'self-test'),
          body: { kind: long ? 'long' : 'short' },
        });
      },
    },
    {
      usage: 'identify <drive>',
      summary: 'Blink the light of a drive',
      arguments: { drive: DRIVE },
      options: [new Option('--seconds <number>', 'for how long').argParser(String)],
      async run(context, [word], { seconds }) {
        const body = seconds === undefined ? {} : { seconds: Number(seconds) };
        return change(context, { path: at(await driveOf(context, word), 'identify'), body });
      },
    },
  ],
};
