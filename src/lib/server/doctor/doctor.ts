/**
 * Looks at everything that has to be well for Cairn to be: each check with a verdict and what to do. It reads only, and a check that
 * cannot be made is a finding, never silence.
 */
import { existsSync, statSync } from 'node:fs';
import { DOCTOR_VERDICTS, type DoctorCheck, type DoctorReport } from '$lib/shared/wire/doctor';
import type { Db } from '../db/client';
import { databaseComplaints } from '../db/integrity';
import { toAppError } from '../errors';
import { portProblem } from '../host/port-answers';
import type { Host } from '../host/types';
import type { Services } from '../services';
import {
  certificateCheck,
  check,
  clockCheck,
  moduleChecks,
  programChecks,
  spaceChecks,
  unitChecks,
} from './host-checks';

export interface Doctor {
  check(): Promise<DoctorReport>;
}
type Deps = { db: Db; host: Host } & Pick<
  Services,
  | 'certificate'
  | 'config'
  | 'clock'
  | 'feed'
  | 'operations'
  | 'plugins'
  | 'pools'
  | 'validate'
  | 'vms'
  | 'log'
>;

const PORT_TIMEOUT_MS = 2_000;
/** Listening everywhere means: here too. */
const nearest = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);

export function createDoctor(deps: Deps): Doctor {
  const { db, host, certificate, config, clock, feed, operations, plugins, pools, validate, vms, log } = deps;

  async function cairnChecks(): Promise<DoctorCheck[]> {
    const complaints = databaseComplaints(db);
    const mode = statSync(config.dataDir).mode & 0o777;
    const problem =
      config.port === 0 ? null : await portProblem(nearest(config.host), config.port, PORT_TIMEOUT_MS);
    const system = feed.get('system', 'system');
    return [
      check('Cairn', 'database', 'Database', [
        complaints.length === 0 ? 'ok' : 'broken',
        complaints.length === 0 ? 'It is whole.' : complaints.join(' '),
        complaints.length === 0
          ? null
          : 'Stop Cairn, keep a copy of the data directory, and bring back a backup.',
      ]),
      check('Cairn', 'data-directory', 'Data directory', [
        mode === 0o700 ? 'ok' : 'warning',
        `${config.dataDir} has the mode ${mode.toString(8)}.`,
        mode === 0o700 ? null : `chmod 700 ${config.dataDir}`,
      ]),
      check('Cairn', 'local-socket', 'Socket of the host', [
        existsSync(config.localSocket) ? 'ok' : 'warning',
        existsSync(config.localSocket)
          ? 'It is there.'
          : `${config.localSocket} is not there: cairn needs a key, and machines are not stopped in their order with the host.`,
        existsSync(config.localSocket) ? null : 'Restart Cairn.',
      ]),
      ...(config.port === 0
        ? []
        : [
            check('Cairn', 'port', `Port ${config.port}`, [
              problem === null ? 'ok' : 'broken',
              problem === null
                ? `It answers on ${config.host}.`
                : `Nothing answers on ${config.host}: ${problem}.`,
              problem === null
                ? null
                : 'Look whether a firewall or another program is in the way, then restart Cairn.',
            ]),
          ]),
      ...(system?.sources ?? []).map(({ name, ok, reason }) =>
        check('Host', `source:${name}`, `Changes by ${name}`, [
          ok ? 'ok' : 'warning',
          ok ? 'They are seen at once.' : (reason ?? 'They are not seen.'),
          ok ? null : 'Restart Cairn; until then what is shown may be old.',
        ]),
      ),
      certificateCheck(certificate.view(), clock.now()),
    ];
  }

  function machineChecks(): DoctorCheck[] {
    const engine = feed.get('vmHost', 'host');
    if (!engine || !plugins.list().some(({ kind, available }) => kind === 'vm' && available)) return [];
    return [
      check('Machines', 'kvm', 'KVM', [
        engine.virtType === 'kvm' ? 'ok' : 'warning',
        engine.virtType === 'kvm'
          ? 'The processor helps machines.'
          : (engine.virtText ?? 'Machines are emulated, which is slow.'),
        engine.virtType === 'kvm'
          ? null
          : 'Switch virtualisation on in the firmware of the host (VT-x, AMD-V).',
      ]),
    ];
  }

  async function recordChecks(): Promise<DoctorCheck[]> {
    const { differences } = await validate.check();
    const waiting = operations.page({ limit: 200 }).items.filter(({ state }) => state === 'needs-attention');
    return [
      ...(differences.length === 0
        ? [check('Records', 'records', 'Pools', ['ok', 'The records are as the machine is.'])]
        : []),
      ...differences.map(({ kind, poolGuid, text, mend, why }) =>
        check('Records', `records:${kind}:${poolGuid ?? ''}`, 'Pools', [
          'warning',
          text,
          mend ? `${mend.title}, on the page of pools.` : why,
        ]),
      ),
      ...waiting.map(({ id, title, error }) =>
        check('Records', `operation:${id}`, 'Operations', [
          'warning',
          `"${title}" needs you. ${error?.message ?? ''}`.trim(),
          `cairn operations show ${id}`,
        ]),
      ),
    ];
  }

  /** Nothing that goes wrong in one part hides the others. */
  async function part(
    id: string,
    checks: () => Promise<DoctorCheck[]> | DoctorCheck[],
  ): Promise<DoctorCheck[]> {
    try {
      return await checks();
    } catch (error) {
      log.error({ error, part: id }, 'a part of the doctor failed');
      return [
        check('Cairn', `failed:${id}`, `Check of ${id}`, [
          'warning',
          `It could not be made: ${toAppError(error).message}`,
          'Look at the log of Cairn.',
        ]),
      ];
    }
  }

  return {
    async check() {
      const used = new Set([...pools.list(), ...vms.list()].map(({ plugin }) => plugin));
      const latestAt = operations.page({ limit: 1 }).items[0]?.createdAt ?? 0;
      const checks = [
        ...(await part('Cairn', cairnChecks)),
        ...(await part('programs', () => programChecks(host.commands, plugins.list()))),
        ...(await part('units', () => unitChecks(host.commands, existsSync('/run/systemd/system')))),
        ...(await part('space', () =>
          spaceChecks(host.commands, [
            [config.dataDir, 'Cairn'],
            ['/', 'the system'],
          ]),
        )),
        clockCheck(clock.now(), latestAt),
        ...(await part('kernel', () => moduleChecks(used))),
        ...(await part('machines', machineChecks)),
        ...(await part('records', recordChecks)),
      ];
      const worst = Math.max(...checks.map(({ verdict }) => DOCTOR_VERDICTS.indexOf(verdict)));
      return { checkedAt: clock.now(), verdict: DOCTOR_VERDICTS[worst] ?? 'ok', checks };
    },
  };
}
