/**
 * A system from a copy of its configuration. What is kept is only what is wanted: the copy, and how far each thing is. Every
 * change of the host is an operation of its own, which recovery finishes or takes back by itself; after a restart the restore
 * looks at what has become of them and goes on. What is here already stays as it is, so it can be asked for again at any time:
 * when drives were forgotten, for instance.
 */
import type { JsonObject } from '$lib/shared/json';
import { isBelow } from '$lib/shared/names';
import {
  configurationContent,
  type ConfigurationContent,
  type Restore,
  type RestoreItem,
  type RestorePlan,
  type RestoreRequest,
} from '$lib/shared/wire/configuration';
import { vmAdoptRequest } from '$lib/shared/wire/vm-found';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { nodeIdOf } from '../db/node-id';
import type { Drives } from '../drives/drive';
import { AppError, issue, issuesError, toAppError } from '../errors';
import type { Operations } from '../operations/types';
import { adoptPool, lookInside } from '../pools/adopt';
import type { FoundPools } from '../pools/found';
import { whenReady } from '../pools/when-ready';
import type { Pool } from '$lib/shared/wire/pools';
import { ADOPT, RECALL } from '../vms/kinds';
import { copyView, type Configuration, type ConfigurationDeps } from './copies';
import { readCopy, type ReadCopy } from './format';
import { byHand, restoreItems, type Here } from './restore-plan';
import { writeSettings } from './settings-store';
import { metaValue, otherRows, putMeta } from './store';

const KEY = 'configuration-restore';
const READY_MS = 60_000;

export interface RestoreDeps extends Omit<ConfigurationDeps, 'operations' | 'found' | 'pools'> {
  configuration: Configuration;
  operations: Operations;
  found: FoundPools;
  pools: { list(): Pool[]; get(guid: string): Pool };
  drives: Pick<Drives, 'list' | 'setBayLabel' | 'setAside' | 'protect'>;
  vms: {
    list(): { id: string; name: string }[];
    refresh(): Promise<void>;
    found: { read(): Promise<{ machines: { id: string }[] }> };
  };
  mountRoot: string;
}
export interface Restores {
  /** Looks into the pools that are found and have not been looked into, read-only. */
  look(actor: Actor): Promise<void>;
  preview(request: RestoreRequest): Promise<RestorePlan>;
  /** Answers when it is written down. @throws AppError busy, configuration_unusable, configuration_not_found */
  start(request: RestoreRequest, actor: Actor): Promise<Restore>;
  /** One machine of a copy. @throws AppError configuration_not_found, vm_not_found, and those of its operation */
  restoreVm(copy: string, vmId: string, actor: Actor): Promise<Operation>;
  /** The last one, or the one at work; null: there was none. */
  last(): Restore | null;
  /** Goes on with one that was interrupted. */
  resume(): void;
  stop(): void;
}

interface Kept {
  restore: Restore;
  actor: Actor;
  content: ConfigurationContent;
}

export function createRestores(deps: RestoreDeps): Restores {
  const { db, bus, clock, log, operations, found, pools } = deps;
  let kept = read();
  let stopped = false;

  function read(): Kept | null {
    const text = metaValue(db, KEY);
    return text === null ? null : (JSON.parse(text) as Kept);
  }
  function keep(next: Kept): void {
    kept = next;
    putMeta(db, KEY, JSON.stringify(next));
    bus.emit('configuration.changed', {});
  }
  function change(id: string, what: Partial<RestoreItem>): void {
    if (!kept) return;
    const items = kept.restore.items.map((item) => (item.id === id ? { ...item, ...what } : item));
    keep({ ...kept, restore: { ...kept.restore, items } });
  }

  const here = (): Here => ({
    pools: pools.list(),
    found: found.list(),
    vms: deps.vms.list(),
    users: otherRows(db).users.map(({ name }) => name),
    plugins: deps.plugins.list().map(({ id }) => id),
    updateChannel: deps.updateChannel,
    bridges: deps.networks.list().map(({ id }) => id),
  });
  async function copyOf({ copy, text }: RestoreRequest): Promise<ReadCopy> {
    if (copy !== undefined) return deps.configuration.copy(copy);
    if (text !== undefined) return readCopy(text);
    throw issuesError([issue('invalid_input', 'Choose a copy, or give the text of one.', 'copy')]);
  }
  function planOf(copy: ReadCopy): RestorePlan {
    const now = here();
    return {
      copy: copyView(copy, nodeIdOf(db)),
      items: restoreItems(copy.content, now),
      byHand: byHand(copy.content, now),
    };
  }

  async function follow(id: string, begin: () => Promise<Operation>): Promise<Operation> {
    const begun = kept?.restore.items.find((item) => item.id === id)?.operationId;
    const asked = begun ? operations.get(begun) : await begin();
    change(id, { state: 'running', operationId: asked.id });
    return operations.wait(asked.id);
  }
  function conclude(id: string, operation: Operation, text: string): void {
    if (operation.state === 'succeeded') change(id, { state: 'done', text });
    else {
      const { message, remedy } = operation.error ?? { message: 'It was taken back.', remedy: null };
      change(id, { state: 'failed', text: [message, remedy].filter(Boolean).join(' ') });
    }
  }

  async function restorePool(
    content: ConfigurationContent,
    { id }: RestoreItem,
    actor: Actor,
  ): Promise<void> {
    const wanted = content.pools.find(({ guid }) => guid === id);
    const operation = await follow(id, async () => {
      await found.refresh();
      const candidate = found.list().find(({ guid }) => guid === id);
      if (!candidate || !wanted) throw new AppError('found_not_found', 'Its drives are not here any more.');
      const { label, mountPath } = wanted;
      return adoptPool(
        { found, operations },
        {
          found: candidate.id,
          label,
          ...(candidate.mountedAt === null && isBelow(mountPath, deps.mountRoot) ? { mountPath } : {}),
        },
        actor,
      );
    });
    if (operation.state === 'succeeded')
      await whenReady({ bus, get: pools.get }, id, { timeoutMs: READY_MS });
    conclude(id, operation, 'It is adopted, with all that is on it.');
  }

  function restoreSettings(content: ConfigurationContent): void {
    const drives = deps.drives.list();
    for (const { id, serial, bayLabel, protectedByUser, setAsideWhy } of content.drives) {
      const drive = drives.find((one) => one.id === id || (serial !== null && one.serial === serial));
      if (drive && bayLabel !== null && drive.bayLabel === null) deps.drives.setBayLabel(drive.id, bayLabel);
      if (drive && setAsideWhy !== null && drive.setAside === null)
        deps.drives.setAside(drive.id, setAsideWhy);
      if (drive && protectedByUser && drive.protection === 'none') deps.drives.protect(drive.id, true);
    }
    const written = writeSettings(db, content);
    for (const { guid } of pools.list()) bus.emit('pool.changed', { guid });
    bus.emit('image.changed', { id: 'all' });
    const count = Object.values(written).reduce((sum, one) => sum + one, 0);
    change('settings', { state: 'done', text: `${count} records written; what was here already stayed.` });
  }

  async function restoreMachine(
    content: ConfigurationContent,
    { id }: RestoreItem,
    actor: Actor,
  ): Promise<void> {
    const machine = content.vms.find((one) => one.id === id);
    const operation = await follow(id, async () => {
      await deps.vms.refresh();
      const isKnown = (await deps.vms.found.read()).machines.some((one) => one.id === id);
      // The system disk is not the one that was lost: its engine knows it still.
      const [kind, request] = isKnown
        ? [ADOPT, vmAdoptRequest.parse({ vmId: id })]
        : [RECALL, { machine: machine ?? null }];
      return operations.start({ kind, request: JSON.parse(JSON.stringify(request)) as JsonObject, actor });
    });
    conclude(id, operation, 'It is here again, with its disks as they are.');
  }

  const comesUp = (guid: string): Promise<boolean> =>
    whenReady({ bus, get: pools.get }, guid, { timeoutMs: READY_MS }).then(
      () => true,
      () => false,
    );

  async function restoreOne(item: RestoreItem, { content, actor }: Kept): Promise<void> {
    try {
      if (item.kind === 'settings') restoreSettings(content);
      else if (item.kind === 'pool') await restorePool(content, item, actor);
      else await restoreMachine(content, item, actor);
    } catch (error) {
      if (stopped) return;
      const { message, remedy } = toAppError(error);
      const known =
        item.kind === 'pool' ? pools.list().map(({ guid }) => guid) : deps.vms.list().map(({ id }) => id);
      // Begun, and cut off before that was noted: what becomes of it counts.
      const isHere = known.includes(item.id) && (item.kind !== 'pool' || (await comesUp(item.id)));
      if (isHere) change(item.id, { state: 'done', text: 'It is here.' });
      else change(item.id, { state: 'failed', text: [message, remedy].filter(Boolean).join(' ') });
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      const next = kept?.restore.items.find(({ state }) => state === 'waiting' || state === 'running');
      if (stopped || !kept || !next) break;
      await restoreOne(next, kept);
    }
    if (!stopped && kept) keep({ ...kept, restore: { ...kept.restore, endedAt: clock.now() } });
  }
  function begin(): void {
    work().catch((error: unknown) => {
      if (!stopped) log.error({ error }, 'a restore of the configuration stopped');
    });
  }

  return {
    async look(actor) {
      await found.refresh(true);
      for (const { id, inside, verbs, members } of found.list()) {
        if (inside !== null || !verbs.peek.allowed || members.length === 0) continue;
        try {
          await lookInside({ found, operations }, id, actor);
        } catch (error) {
          // It stays on the list of those that nobody has looked into.
          log.warn({ error, found: id }, 'a pool could not be looked into for copies of a configuration');
        }
      }
    },
    preview: async (request) => planOf(await copyOf(request)),
    async start(request, actor) {
      const copy = await copyOf(request);
      const content = configurationContent.parse(copy.content);
      if (kept && kept.restore.endedAt === null)
        throw new AppError('restore_at_work', 'A restore is at work already.');
      const restore: Restore = {
        ...planOf(copy),
        ...{ startedAt: clock.now(), startedBy: actor.name, endedAt: null },
      };
      keep({ restore, actor, content });
      begin();
      return restore;
    },
    async restoreVm(id, vmId, actor) {
      const { content } = await deps.configuration.copy(id);
      const machine = content.vms.find((one) => one.id === vmId);
      if (!machine) throw new AppError('vm_not_found', `The copy knows no machine ${vmId}.`);
      const request = JSON.parse(JSON.stringify({ machine })) as JsonObject;
      return operations.start({ kind: RECALL, request, actor });
    },
    last: () => kept?.restore ?? null,
    resume() {
      if (kept && kept.restore.endedAt === null) begin();
    },
    stop() {
      stopped = true;
    },
  };
}
