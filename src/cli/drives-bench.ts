/** One layout of a plugin on drives of a throwaway Cairn: every verb, cancelled and killed at every step. See drives-check.ts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation } from '$lib/shared/wire/operations';
import type { LayoutView } from '$lib/shared/wire/plugins';
import type { PoolLine } from './commands/pools';
import { CliError } from './exit-codes';
import { mountsBelow } from './leftovers';
import { isAway, type Throwaway } from './throwaway';

const LABEL = 'checked';
const LETTER = 'written before the kill\n';
/** Cairn looks at drives and pools again right after an operation; slower than this, what it shows is wrong. */
const SHOWN_MS = 10_000;

type Condition = 'none' | 'unmounted' | 'mounted';
export const VERBS = ['create', 'unmount', 'mount', 'remove'] as const;
export type TriedVerb = (typeof VERBS)[number];
interface Scenario {
  verb: TriedVerb;
  from: Condition;
  to: Condition;
  /** It can be cancelled, and goes back then. */
  isReversible: boolean;
}
const SCENARIOS: Scenario[] = [
  { verb: 'create', from: 'none', to: 'mounted', isReversible: true },
  { verb: 'unmount', from: 'mounted', to: 'unmounted', isReversible: true },
  { verb: 'mount', from: 'unmounted', to: 'mounted', isReversible: true },
  { verb: 'remove', from: 'mounted', to: 'none', isReversible: false },
];
const FORWARD = ['acting', 'child-running', 'acted'];
const BACK = ['undo-child-running', 'undo-acted'];

interface Kill {
  title: string;
  specs: string;
  /** Cancelled when this step is done; null: it runs forward. */
  cancelAt: string | null;
}
const modeOf = (point: string): string => (point.endsWith('child-running') ? 'both' : 'alone');

function killsOf({ verb, isReversible }: Scenario, steps: string[]): Kill[] {
  const at = (point: string, step: string): string => `${point}@pool.${verb}/${step}:${modeOf(point)}`;
  const forward = steps.flatMap((step) =>
    FORWARD.map((point): Kill => ({ title: `${step}, ${point}`, specs: at(point, step), cancelAt: null })),
  );
  const last = steps.at(-1);
  if (!isReversible || last === undefined) return forward;
  const hold = `done@pool.${verb}/${last}:wait-60000`;
  return [
    ...forward,
    { title: 'cancelled at its last step', specs: hold, cancelAt: last },
    ...steps.flatMap((step) =>
      BACK.map((point): Kill => ({
        ...{ title: `${step}, ${point}`, specs: `${hold},${at(point, step)}`, cancelAt: last },
      })),
    ),
  ];
}

export class DriveBench {
  readonly #cairn: Throwaway;
  readonly #plugin: string;
  readonly #layout: LayoutView;
  readonly #serials: string[];
  tried = 0;

  constructor(cairn: Throwaway, plugin: string, layout: LayoutView, serials: string[]) {
    this.#cairn = cairn;
    this.#plugin = plugin;
    this.#layout = layout;
    this.#serials = serials.slice(0, layout.minDrives);
  }

  async #pool(): Promise<PoolLine | null> {
    const { pools } = await this.#cairn.api.get<{ pools: PoolLine[] }>('/pools');
    return pools.find(({ label }) => label === LABEL) ?? null;
  }

  /** What is on the machine, by itself and as Cairn shows it. @returns why it is not so; null: it is */
  async #differs(wanted: Condition): Promise<string | null> {
    const [pool, { drives }] = await Promise.all([
      this.#pool(),
      this.#cairn.api.get<{ drives: Drive[] }>('/drives'),
    ]);
    const ours = drives.filter(({ serial }) => serial !== null && this.#serials.includes(serial));
    const used = ours.filter(
      ({ contentHash, partitions }) => contentHash !== 'blank' || partitions.length > 0,
    );
    const mounts = mountsBelow(this.#cairn.folder);
    if (wanted === 'none') {
      if (pool) return `there is still the pool, ${pool.state}`;
      if (mounts.length > 0) return `${mounts.join(', ')} is still mounted`;
      const left = used.map(
        ({ serial, signatures }) => `${serial} (${signatures.map(({ type }) => type).join(', ')})`,
      );
      return left.length > 0 ? `something is left on ${left.join(', ')}` : null;
    }
    if (!pool?.mountPath) return 'there is no pool';
    if (used.length === 0) return 'its drives are blank';
    const isMounted = mounts.includes(pool.mountPath);
    if (isMounted !== (wanted === 'mounted')) return `its pool is ${isMounted ? 'mounted' : 'not mounted'}`;
    const shown = pool.state === 'unmounted' ? 'unmounted' : 'mounted';
    if (shown !== wanted) return `its pool is shown as ${pool.state}`;
    const letter = join(pool.mountPath, 'letter');
    if (isMounted && existsSync(letter) && readFileSync(letter, 'utf8') !== LETTER)
      return 'a file on the pool is not what was written';
    return null;
  }
  async #mustBe(wanted: Condition): Promise<string | null> {
    let why: string | null = null;
    for (const until = Date.now() + SHOWN_MS; Date.now() < until; await sleep(50)) {
      why = await this.#differs(wanted);
      if (why === null) return null;
    }
    return why;
  }

  /** Asks for it, with the confirm code of the plan. */
  async #begin(verb: Scenario['verb']): Promise<void> {
    const guid = (await this.#pool())?.poolGroupGuid ?? '';
    const drives = this.#serials.map((serial) => ({ serial }));
    const [method, path, body] =
      verb === 'create'
        ? ([
            'POST',
            '/pools',
            { label: LABEL, plugin: this.#plugin, layout: this.#layout.id, drives },
          ] as const)
        : verb === 'remove'
          ? (['DELETE', `/pools/${guid}`, {}] as const)
          : (['POST', `/pools/${guid}/${verb}`, {}] as const);
    const id = crypto.randomUUID();
    const send = (more: object): Promise<unknown> =>
      this.#cairn.api.send(method, path, {
        ...(verb === 'create' ? { poolGroupGuid: id } : {}),
        ...{ ...body, ...more },
      });
    try {
      await send({});
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== 'confirm_required') throw error;
      await send({ confirmCode: error.details['confirmCode'] });
    }
  }

  /** The whole verb, which has to succeed. */
  async #whole(verb: Scenario['verb']): Promise<Operation> {
    await this.#begin(verb);
    const operation = await this.#cairn.ended();
    if (operation?.state === 'succeeded') return operation;
    throw new Error(`${verb}: ${operation ? describe(operation) : 'Cairn died'}`);
  }

  /** From whatever a kill has left. */
  async #bring(to: Condition): Promise<void> {
    const pool = await this.#pool();
    if (to === 'none') {
      if (pool) await this.#whole('remove');
      return;
    }
    if (!pool) await this.#whole('create');
    const now = await this.#pool();
    if (now?.state === 'unmounted') await this.#whole('mount');
    const path = (await this.#pool())?.mountPath;
    if (path) writeFileSync(join(path, 'letter'), LETTER);
    if (to === 'unmounted') await this.#whole('unmount');
  }

  /** Cancels when the step is done. @returns false when it ended before */
  async #cancelAt(step: string, before: string | null): Promise<boolean> {
    for (; this.#cairn.runs; await sleep(20)) {
      const operation = await this.#cairn.latest();
      if (!operation || operation.id === before) continue;
      if (operation.endedAt !== null) return false;
      if (operation.steps.find(({ name }) => name === step)?.state !== 'done') continue;
      await this.#cairn.api.send('POST', `/operations/${operation.id}/cancel`);
      return true;
    }
    return true;
  }

  /** @returns what is wrong with how it ended; null: nothing */
  async #killed(scenario: Scenario, kill: Kill): Promise<string | null> {
    await this.#bring(scenario.from);
    const before = (await this.#cairn.latest())?.id ?? null;
    this.#cairn.dieAt(kill.specs);
    const ignoreDeath = (error: unknown): void => {
      if (!isAway(error) && this.#cairn.runs) throw error;
    };
    await this.#begin(scenario.verb).catch(ignoreDeath);
    if (kill.cancelAt !== null) await this.#cancelAt(kill.cancelAt, before).catch(ignoreDeath);
    let operation = await this.#cairn.ended();
    this.#cairn.dieAt('');
    if (!operation) {
      this.tried += 1;
      await this.#cairn.start();
      // It is not to blame for how often Cairn ends here.
      await this.#cairn.api.send('POST', `/plugins/${this.#plugin}/enable`);
      operation = await this.#cairn.ended();
      if (operation && operation.verdict === null)
        return `it ended without a verdict (${describe(operation)})`;
    }
    if (!operation || operation.id === before) return 'nothing is known of the operation';
    if (operation.state === 'needs-attention') return `somebody has to decide: ${describe(operation)}`;
    const why = await this.#mustBe(operation.state === 'succeeded' ? scenario.to : scenario.from);
    return why === null ? null : `it says "${operation.state}", but ${why}`;
  }

  /** @param say what is tried now @returns what is wrong */
  async run(verbs: readonly TriedVerb[], say: (text: string) => void): Promise<string[]> {
    const wrong: string[] = [];
    for (const scenario of SCENARIOS.filter(({ verb }) => verbs.includes(verb))) {
      const title = `${this.#layout.id}, ${scenario.verb}`;
      say(title);
      await this.#bring(scenario.from);
      const reference = await this.#whole(scenario.verb);
      const why = await this.#mustBe(scenario.to);
      if (why !== null) return [...wrong, `${title}: it says "succeeded", but ${why}`];
      const steps = reference.steps.filter(({ state }) => state === 'done').map(({ name }) => name);
      for (const kill of killsOf(scenario, steps)) {
        say(`${title}: ${kill.title}`);
        const problem = await this.#killed(scenario, kill);
        if (problem !== null) wrong.push(`${title}: ${kill.title}: ${problem}`);
      }
    }
    await this.#bring('none');
    return wrong;
  }
}

const describe = ({ state, error, evidence }: Operation): string =>
  [state, error?.message, evidence.at(-1)].filter(Boolean).join('; ');
