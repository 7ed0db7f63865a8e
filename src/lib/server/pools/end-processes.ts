/** Ending the programs that keep a pool from being unmounted: only those that were chosen, and only while they hold it. */
import { looks, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { poolEndProcessesRequest, requestIssues } from '$lib/shared/wire/requests';
import { AppError, issue, issuesError } from '../errors';
import { identityOf, protectionOfProcess } from '../host/end-process';
import type { Operations, Prepared, RecordOwner } from '../operations/types';
import type { PoolDeps } from './deps';
import { findPool } from './store';

const GRACE_MS = 5_000;
const DEADLINE_MS = 10 * 60_000;

type Deps = Pick<PoolDeps, 'db' | 'host'>;

async function prepareEndProcesses({ db, host }: Deps, request: JsonObject): Promise<Prepared> {
  const parsed = poolEndProcessesRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const { poolGroupGuid, pids } = parsed.data;
  const record = findPool(db, poolGroupGuid);
  if (!record) throw new AppError('pool_not_found', `There is no pool with the GUID ${poolGroupGuid}.`);
  const path = record.mountPath;
  const users = host.mounts().some((mount) => mount.path === path) ? await host.processesUsing(path) : [];
  const chosen = [...new Set(pids)].map((pid, index) => {
    const user = users.find((candidate) => candidate.pid === pid);
    const identity = user ? identityOf(pid) : null;
    const why = protectionOfProcess(pid);
    const name = user ? `${user.command} (process ${pid})` : `Process ${pid}`;
    const problem =
      !user || !identity
        ? issue('process_not_using', `${name} uses no file of the pool "${record.label}".`, `pids.${index}`)
        : why
          ? issue('process_protected', `${name} cannot be ended: ${why}.`, `pids.${index}`)
          : null;
    return { user, identity, problem, name };
  });
  const issues = chosen.flatMap(({ problem }) => problem ?? []);
  if (issues.length > 0) throw issuesError(issues);
  const steps = chosen.flatMap(({ user, identity, name }): Step[] =>
    user && identity
      ? [
          {
            name: `end-process-${user.pid}`,
            title: `End ${name} of ${user.user}, which uses ${user.path}`,
            run: { do: 'end-process', ...identity, path, graceMs: GRACE_MS },
            undo: 'impossible',
            look: looks.processEnded(identity, path),
          },
        ]
      : [],
  );
  return {
    input: { poolGroupGuid: record.guid, pids },
    title: `End ${steps.length === 1 ? 'a program' : `${steps.length} programs`} that use pool "${record.label}"`,
    subject: { type: 'pool', id: record.guid, label: record.label },
    steps,
    locks: [`pool:${record.guid}`],
    drives: [],
    erases: [],
    confirmText: null,
    notes: ['What a program has not saved is lost.'],
  };
}

const noRecord: RecordOwner = {
  begin: () => undefined,
  succeed: () => undefined,
  takenBack: () => undefined,
  needsYou: () => undefined,
};

export const defineEndProcesses = (operations: Pick<Operations, 'define'>, deps: Deps): void =>
  operations.define({
    kind: 'pool.end-processes',
    onInterrupt: 'finish',
    deadlineMs: DEADLINE_MS,
    prepare: (request) => prepareEndProcesses(deps, request),
    record: noRecord,
  });
