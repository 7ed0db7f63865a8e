import type { BootPage, BootReport } from '$lib/shared/wire/boots';
import type { Context } from '../context';
import { printable, properties, styled, table, toned } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

const REPORT = 'Its number; last: the newest';
async function reportOf({ api }: Context, word = 'last'): Promise<BootReport> {
  const { items } = await api.get<BootPage>('/boots?limit=1');
  return word === 'last' && items[0] ? items[0] : api.get<BootReport>(`/boots/${encodeURIComponent(word)}`);
}
const off = ({ downSince, startedAt, isApproximate }: BootReport): string | null => {
  if (downSince === null) return null;
  const minutes = Math.round((startedAt - downSince) / 60_000);
  const text =
    minutes < 1 ? 'less than a minute' : minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return isApproximate ? `about ${text}` : text;
};
const textOf = (report: BootReport): string =>
  [
    properties([
      ['started', time(report.startedAt)],
      ['off since', time(report.downSince)],
      ['off for', off(report)],
      ['why', report.text],
      [
        'version',
        report.versionBefore ? `${report.version}, before ${report.versionBefore}` : report.version,
      ],
    ]),
    ...report.operations.map(
      ({ title, state, verdict, id }) =>
        `operation  ${printable(title)}: ${toned(state)}${verdict ? `, ${verdict}` : ''} ${styled('gray', id)}`,
    ),
    ...report.drives.map(({ label, change }) => `drive      ${printable(label)}: ${change}`),
    ...report.pools.map(
      ({ label, before, now }) => `pool       ${printable(label)}: was ${before}, is ${toned(now)}`,
    ),
    ...report.alerts.map(
      ({ title, change, severity }) => `alert      ${printable(title)}: ${change}, ${severity}`,
    ),
  ].join('\n');

export const boots: Noun = {
  name: 'boots',
  summary: 'What happened while Cairn was off',
  verbs: [
    {
      usage: 'list',
      summary: 'The newest starts',
      isDefault: true,
      async run({ api, show, width }) {
        const page = await api.get<BootPage>('/boots');
        show(page, () =>
          table<BootReport>(
            [
              { title: 'NO', of: ({ id }) => id, right: true },
              { title: 'STARTED', of: ({ startedAt }) => time(startedAt) },
              { title: 'OFF FOR', of: off },
              { title: 'CAUSE', of: ({ cause }) => cause },
              {
                title: 'OPERATIONS',
                of: ({ operations }) =>
                  operations.map(({ title, state }) => `${title}: ${state}`).join('; ') || null,
                shrinks: true,
              },
            ],
            page.items,
            width,
          ),
        );
      },
    },
    {
      usage: 'show [report]',
      summary: 'One report',
      arguments: { report: REPORT },
      async run(context, [word]) {
        const report = await reportOf(context, word);
        context.show(report, () => textOf(report));
      },
    },
    {
      usage: 'dismiss [report]',
      summary: 'Read: it leaves the overview',
      arguments: { report: REPORT },
      async run(context, [word]) {
        const { id } = await reportOf(context, word);
        const report = await context.api.send<BootReport>('POST', `/boots/${id}/dismiss`);
        context.show(report, () => 'Dismissed.');
      },
    },
  ],
};
