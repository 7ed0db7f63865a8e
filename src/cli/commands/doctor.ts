import { DOCTOR_GROUPS, type DoctorReport } from '$lib/shared/wire/doctor';
import { EXIT } from '../exit-codes';
import { printable, styled } from '../table';
import type { Verb } from '../verb';

const MARKS = {
  ok: () => styled('green', 'ok     '),
  note: () => styled('gray', 'note   '),
  warning: () => styled('yellow', 'warning'),
  broken: () => styled('red', 'broken '),
};

export const doctor: Verb = {
  usage: 'doctor',
  summary: 'Look whether this host has all that Cairn needs, and whether what is kept is whole',
  async run({ api, show }) {
    const report = await api.get<DoctorReport>('/doctor');
    show(report, () =>
      DOCTOR_GROUPS.flatMap((group) => {
        const checks = report.checks.filter((check) => check.group === group);
        if (checks.length === 0) return [];
        return [
          styled('bold', group),
          ...checks.map(({ verdict, title, text, remedy }) =>
            [
              `  ${MARKS[verdict]()}  ${printable(title)}: ${printable(text)}`,
              ...(remedy ? [`           ${printable(remedy)}`] : []),
            ].join('\n'),
          ),
        ];
      }).join('\n'),
    );
    return report.verdict === 'broken' ? EXIT.failed : EXIT.done;
  },
};
