import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { Vm } from '$lib/shared/wire/vms';
import type { Context } from '../context';
import { CliError, EXIT } from '../exit-codes';
import { pick } from '../pick';
import { change } from '../run-operation';
import { inNaturalOrder, properties, table } from '../table';
import type { Noun, Verb } from '../verb';
import { size } from '../words';

const VM = 'Its name or its UUID';

async function vmOf({ api }: Context, word = ''): Promise<Vm> {
  const { vms: all } = await api.get<{ vms: Vm[] }>('/vms');
  return pick(all, word, { noun: 'machine', names: (vm) => [vm.id, vm.name], label: (vm) => vm.name });
}

const plain = (name: string, summary: string): Verb => ({
  usage: `${name} <vm>`,
  summary,
  arguments: { vm: VM },
  async run(context, [word]) {
    return change(context, { path: `/vms/${(await vmOf(context, word)).id}/${name}` });
  },
});

/** What is sent to make one: too much for options. */
async function requestIn(file: string): Promise<object> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((cause: Error) => {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${cause.message}.`);
  });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new CliError(EXIT.usage, `${file} holds no JSON object.`);
}

export const vms: Noun = {
  name: 'vms',
  summary: 'Virtual machines',
  verbs: [
    {
      usage: 'list',
      summary: 'All machines',
      isDefault: true,
      async run({ api, show, width }) {
        const { vms: all } = await api.get<{ vms: Vm[] }>('/vms');
        show({ vms: all }, () =>
          table<Vm>(
            [
              { title: 'NAME', of: (vm) => vm.name, shrinks: true },
              { title: 'STATE', of: (vm) => vm.state, state: true },
              { title: 'CPUS', of: (vm) => String(vm.cpus), right: true },
              { title: 'MEMORY', of: (vm) => size(vm.memoryBytes), right: true },
              { title: 'DISKS', of: (vm) => size(vm.diskBytes), right: true },
              { title: 'POOL', of: (vm) => vm.pool?.label ?? null },
              { title: 'ADDRESSES', of: (vm) => vm.addresses.join(', '), shrinks: true },
              { title: 'TAGS', of: (vm) => vm.tags.join(', '), shrinks: true },
            ],
            inNaturalOrder(all, ({ name }) => name),
            width,
          ),
        );
      },
    },
    {
      usage: 'show <vm>',
      summary: 'One machine',
      arguments: { vm: VM },
      async run(context, [word]) {
        const vm = await vmOf(context, word);
        context.show(vm, () =>
          properties([
            ['name', vm.name],
            ['id', vm.id],
            ['state', vm.state],
            ['', vm.stateText],
            ['CPUs', String(vm.cpus)],
            ['memory', size(vm.memoryBytes)],
            ['firmware', vm.firmware],
            ['pool', vm.pool?.label ?? null],
            ['folder', vm.folder],
            ['image', vm.image.name || null],
            ['user', vm.user],
            ...vm.disks.map((disk): [string, string] => [
              `disk ${disk.slot}`,
              `${size(disk.sizeBytes)} ${disk.file}`,
            ]),
            ...vm.cards.map((card): [string, string] => [
              `card ${card.slot}`,
              `${card.mac} on ${card.bridge ?? 'NAT'}`,
            ]),
            ['CD', vm.cd?.name ?? null],
            ['addresses', vm.addresses.join(', ') || null],
            ['tags', vm.tags.join(', ') || null],
            ['with host', vm.autostart.on ? 'starts' : null],
            ['protected', vm.protected ? 'yes' : null],
            ['operation', vm.operationId],
          ]),
        );
      },
    },
    {
      usage: 'create <file>',
      summary: 'Make a machine from a request as POST /api/v1/vms takes it',
      arguments: { file: 'JSON; - for standard input' },
      async run(context, [file = '']) {
        return change(context, { path: '/vms', body: await requestIn(file) });
      },
    },
    plain('start', 'Switch a machine on'),
    {
      usage: 'stop <vm>',
      summary: 'Shut a machine down; by force when its time is over',
      arguments: { vm: VM },
      options: [new Option('--seconds <number>', 'how long it may take; 0: off at once')],
      async run(context, [word], { seconds }) {
        const body = seconds === undefined ? {} : { graceSeconds: Number(seconds) };
        return change(context, { path: `/vms/${(await vmOf(context, word)).id}/stop`, body });
      },
    },
    {
      usage: 'reset <vm>',
      summary: 'As by its reset button: what it has not written is lost; asks first',
      arguments: { vm: VM },
      async run(context, [word]) {
        const { id, name } = await vmOf(context, word);
        return change(context, {
          path: `/vms/${id}/reset`,
          question: `Reset ${name}? What it has not written to its disks is lost.`,
        });
      },
    },
    plain('pause', 'Hold a machine'),
    plain('resume', 'Let a machine go on'),
    plain('save', 'Keep the memory of a machine on disk and switch it off'),
    {
      usage: 'remove <vm>',
      summary: 'Remove a machine; it is kept for a while, unless --for-good; asks first',
      arguments: { vm: VM },
      options: [new Option('--for-good', 'with its disks, at once')],
      async run(context, [word], { forGood }) {
        const { id, name } = await vmOf(context, word);
        return change(context, {
          ...{ method: 'DELETE', path: `/vms/${id}${forGood ? '?forGood=true' : ''}` },
          ...(forGood ? {} : { question: `Remove ${name}? It can be brought back for a while.` }),
        });
      },
    },
  ],
};
