import type { AlertList } from '$lib/shared/wire/alerts';
import type { Drive } from '$lib/shared/wire/drives';
import type { SystemView } from '$lib/shared/wire/feed';
import type { OperationPage } from '$lib/shared/wire/operations';
import type { Vm } from '$lib/shared/wire/vms';
import { isLive } from '$lib/shared/states';
import { printable, properties, styled } from '../table';
import type { Verb } from '../verb';
import { plural, size, time } from '../words';
import type { PoolLine } from './pools';

export const status: Verb = {
  usage: 'status',
  summary: 'How this appliance is: alerts, operations, pools, machines',
  async run({ api, show }) {
    const [system, { drives }, { pools }, { vms }, { items }, alerts] = await Promise.all([
      api.get<SystemView>('/system'),
      api.get<{ drives: Drive[] }>('/drives'),
      api.get<{ pools: PoolLine[] }>('/pools'),
      api.get<{ vms: Vm[] }>('/vms'),
      api.get<OperationPage>('/operations?limit=50'),
      api.get<AlertList>('/alerts?limit=1'),
    ]);
    const operations = items.filter(({ state }) => isLive(state));
    const counts = {
      drives: drives.filter(({ present }) => present).length,
      pools: pools.length,
      machines: vms.length,
      machinesOn: vms.filter(({ state }) => state === 'running').length,
    };
    show({ system, alerts: alerts.open, operations, counts }, () =>
      [
        properties([
          ['host', `${system.hostname}${system.sandbox ? ' (sandbox)' : ''}`],
          ['Cairn', `${system.version}, since ${time(system.startedAt) ?? ''}`],
          ['drives', String(counts.drives)],
          [
            'pools',
            pools
              .map(
                (pool) =>
                  `${pool.label} ${pool.poolStatus ?? pool.state}${pool.usePercent ? `, ${pool.usePercent} of ${size(pool.size)}` : ''}`,
              )
              .join('; ') || 'none',
          ],
          ['machines', `${counts.machines}, ${counts.machinesOn} of them on`],
        ]),
        ...(operations.length > 0
          ? ['', styled('bold', plural(operations.length, 'operation') + ' under way')]
          : []),
        ...operations.map(
          ({ id, title, percent, state }) =>
            `  ${Math.round(percent)} %  ${printable(title)} (${state}) ${id}`,
        ),
        '',
        alerts.open.length === 0
          ? styled('green', 'Nothing needs you.')
          : styled('bold', plural(alerts.open.length, 'alert')),
        ...alerts.open.map(({ severity, title, text, remedy }) =>
          [
            `  ${styled(severity === 'critical' ? 'red' : 'yellow', severity)}  ${printable(title)}. ${printable(text)}`,
            ...(remedy ? [`    ${printable(remedy)}`] : []),
          ].join('\n'),
        ),
      ].join('\n'),
    );
  },
};
