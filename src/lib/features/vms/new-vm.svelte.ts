/** The form of a new machine: what is chosen, what is wrong with it step by step, and the plan. */
import { SvelteSet } from 'svelte/reactivity';
import type { Live } from '$lib/client/live.svelte';
import { presentError, presentIssues, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { FirmwareKind } from '$lib/shared/firmware-kinds';
import type { VmDevices } from '$lib/shared/vm-devices';
import { formatBytes } from '$lib/shared/units';
import {
  guestPasswordIssues,
  packageIssues,
  uefiMemoryIssues,
  sshKeyIssues,
  userNameIssues,
  vmNameIssues,
} from '$lib/shared/vm-rules';
import type { Image } from '$lib/shared/wire/images';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { VmCreateRequestInput } from '$lib/shared/wire/vms';
import { canStart, NO_IMAGE } from './beginnings';
import type { Draft } from './draft';
import { IpForm } from './ip-form.svelte';
import { macProblem } from './mac-problem';
import { NAT } from './network-choice';
import { poolsForImages } from '../images/pools-for-images';
import { NewVolumes } from './new-volumes.svelte';
import { proposalOf, usualFor } from './packed-proposal';
import { newGuid } from '../pools/guid';
import {
  cpuModelProblem,
  cpuProblem,
  memoryProblem,
  MIB,
  topologyOf,
  topologyProblem,
  type TopologyText,
} from './size';

export type Stage = 'image' | 'hardware' | 'login' | 'review';
const GIB = 1024 ** 3;

export class NewVm {
  id = newGuid();
  /** It goes on from what was kept when the page was left. */
  fromDraft = $state(false);
  readonly #live: Live;
  stage = $state<Stage>('image');
  #imageId = $state<string | null>(null);
  #poolGuid = $state<string | null>(null);
  name = $state('');
  cpus = $state('1');
  topology = $state.raw<TopologyText>(null);
  memoryMib = $state('1024');
  diskGib = $state('10');
  disk = $state<'overlay' | 'copy'>('overlay');
  readonly volumes = new NewVolumes();
  user = $state('');
  keys = $state('');
  password = $state('');
  packages = $state('');
  more = $state('');
  firmware = $state<FirmwareKind>('bios');
  tpm = $state(false);
  devices = $state<VmDevices>('virtio');
  /** Empty: the one of the host. */
  cpuModel = $state('');
  bridge = $state(NAT);
  mac = $state('');
  readonly ip = new IpForm();
  plan = $state.raw<PlanPreview | null>(null);
  error = $state.raw<PresentedError | null>(null);
  busy = $state(false);
  /** Fields complain only after they were left. */
  touched = new SvelteSet<string>();

  constructor(live: Live, draft: Draft | null = null) {
    this.#live = live;
    if (!draft) return;
    const { stage, imageId, poolGuid, volumes, ip, ...fields } = draft;
    Object.assign(this, fields);
    this.volumes.restore(volumes);
    Object.assign(this.ip, ip);
    this.#imageId = imageId;
    this.#poolGuid = poolGuid;
    this.fromDraft = true;
    // A plan is made anew, and an image may be gone.
    this.stage =
      this.image && stage === 'login'
        ? 'login'
        : this.hasBeginning && stage !== 'image'
          ? 'hardware'
          : 'image';
  }
  /** Null: nothing has been chosen yet. */
  draft = $derived.by((): Draft | null =>
    this.#imageId === null
      ? null
      : {
          ...{ id: this.id, stage: this.stage, imageId: this.#imageId, poolGuid: this.#poolGuid },
          ...{ name: this.name, cpus: this.cpus, memoryMib: this.memoryMib, diskGib: this.diskGib },
          ...{ topology: this.topology, cpuModel: this.cpuModel },
          ...{ disk: this.disk, user: this.user, keys: this.keys, packages: this.packages, more: this.more },
          volumes: $state.snapshot(this.volumes.list),
          ...{ firmware: this.firmware, tpm: this.tpm, devices: this.devices },
          ...{ bridge: this.bridge, mac: this.mac, ip: this.ip.draft },
        },
  );

  images = $derived.by((): Image[] => [...this.#live.images.values()].filter(canStart));
  coming = $derived.by((): Image[] =>
    [...this.#live.images.values()].filter(({ badge }) => badge === 'downloading'),
  );
  image = $derived.by((): Image | null => this.images.find(({ id }) => id === this.#imageId) ?? null);
  /** An image that is here, or none by choice. */
  hasBeginning = $derived(this.image !== null || this.#imageId === NO_IMAGE);
  pools = $derived.by(() => poolsForImages(this.#live));
  get imageId(): string {
    return this.#imageId ?? '';
  }
  /** What is known of the image becomes the proposal. */
  chooseImage(id: string): void {
    this.#imageId = id;
    const { image } = this;
    if (!image) return;
    Object.assign(this, usualFor(image));
    if (image.machine) Object.assign(this, proposalOf(image.machine, this));
  }
  get poolGuid(): string {
    return this.#poolGuid ?? this.image?.pool?.guid ?? this.pools[0]?.guid ?? '';
  }
  set poolGuid(guid: string) {
    this.#poolGuid = guid;
  }

  /** An installer and other disks ask by themselves. */
  withLogin = $derived(this.image?.kind === 'cloud');
  stages = $derived.by((): Stage[] => [
    'image',
    'hardware',
    ...(this.withLogin ? (['login'] as const) : []),
    'review',
  ]);
  keyLines = $derived.by((): string[] =>
    this.keys
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  );

  packageNames = $derived.by((): string[] => this.packages.split(/[\s,]+/).filter(Boolean));

  /** The first thing that is wrong with each field. */
  problems = $derived.by((): Record<string, string | null> => {
    const first = (issues: { message: string }[]): string | null => issues[0]?.message ?? null;
    const taken = [...this.#live.vms.values()].some(({ name, id }) => name === this.name && id !== this.id);
    return {
      name:
        first(vmNameIssues(this.name)) ??
        (taken ? `There is a machine called "${this.name}" already.` : null),
      cpus: cpuProblem(this.cpus, this.#live.vmHost) ?? topologyProblem(this.cpus, this.topology),
      memory:
        memoryProblem(this.memoryMib, this.#live.vmHost) ??
        first(uefiMemoryIssues(this.firmware, Number(this.memoryMib) * MIB)),
      firmware: this.#firmwareProblem(),
      cpuModel: cpuModelProblem(this.cpuModel, this.#live.vmHost),
      disk: this.#diskProblem(),
      mac: this.mac === '' ? null : macProblem(this.mac, this.#live.vms.values(), this.id),
      user: first(userNameIssues(this.user)),
      keys: first(this.keyLines.flatMap((line) => sshKeyIssues(line, ''))),
      packages: first(packageIssues(this.packageNames)),
      volumes: this.#volumeProblem(),
      password: this.password === '' ? null : first(guestPasswordIssues(this.password)),
    };
  });
  #firmwareProblem(): string | null {
    const why = this.#live.vmHost?.firmware;
    return (this.firmware === 'bios' ? null : why?.[this.firmware]) ?? (this.tpm ? why?.tpm : null) ?? null;
  }
  #diskProblem(): string | null {
    const bytes = this.#diskBytes();
    if (!(bytes >= MIB)) return 'The disk needs 1 MiB at least.';
    const pool = this.pools.find(({ guid }) => guid === this.poolGuid);
    const least = this.image?.machine?.diskBytes[0] ?? this.image?.minDiskBytes ?? 0;
    if (bytes < least) return `${this.image?.name ?? 'The image'} needs ${formatBytes(least)}.`;
    return pool && pool.availableBytes !== null && bytes + this.volumes.totalBytes > pool.availableBytes
      ? `The pool has ${formatBytes(pool.availableBytes)} free.`
      : null;
  }
  #volumeProblem(): string | null {
    const [index, wrong] =
      [...this.volumes.problems(this.withLogin).entries()].find(([, one]) => Object.keys(one).length > 0) ??
      [];
    return wrong ? `Disk ${(index ?? 0) + 2}: ${Object.values(wrong)[0] ?? ''}` : null;
  }
  #diskBytes(): number {
    return Math.round((Number(this.diskGib) * GIB) / MIB) * MIB;
  }

  /** Why the next step cannot be reached from this one. */
  whyNotNext = $derived.by((): string | null => {
    const { name, cpus, cpuModel, memory, firmware, disk, volumes, mac, user, keys, password, packages } =
      this.problems;
    switch (this.stage) {
      case 'image':
        return this.hasBeginning ? null : 'Choose an image first.';
      case 'hardware':
        return (
          name ??
          cpus ??
          cpuModel ??
          memory ??
          firmware ??
          disk ??
          volumes ??
          mac ??
          (this.poolGuid ? null : 'Choose a pool first.')
        );
      case 'login':
        return (
          user ??
          keys ??
          password ??
          packages ??
          this.ip.problem ??
          (this.keyLines.length === 0 && this.password === ''
            ? 'Give a public SSH key or a password: otherwise nobody could log in.'
            : null)
        );
      case 'review':
        return this.plan ? null : 'It cannot be created as it is: see above.';
    }
  });

  request = $derived.by((): VmCreateRequestInput => ({
    ...{ id: this.id, name: this.name, poolGuid: this.poolGuid, disk: this.disk },
    imageId: this.imageId === NO_IMAGE ? null : this.imageId,
    ...{ topology: topologyOf(this.topology), cpuModel: this.cpuModel === '' ? null : this.cpuModel },
    ...{ firmware: this.firmware, tpm: this.tpm, devices: this.withLogin ? 'virtio' : this.devices },
    ...{ cpus: Number(this.cpus), memoryBytes: Number(this.memoryMib) * MIB, diskBytes: this.#diskBytes() },
    disks: this.volumes.asked(this.withLogin),
    cards: [
      { bridge: this.bridge === NAT ? null : this.bridge, ...(this.mac === '' ? {} : { mac: this.mac }) },
      // The others are plugged in on the page of the machine.
      ...Array.from({ length: Math.max(0, (this.image?.machine?.cards ?? 1) - 1) }, () => ({ bridge: null })),
    ],
    ...(this.withLogin
      ? {
          cloudInit: {
            ...{ user: this.user, sshKeys: this.keyLines, packages: this.packageNames, more: this.more },
            ...(this.ip.wish ? { network: [this.ip.wish] } : {}),
            ...(this.password === '' ? {} : { password: this.password }),
          },
        }
      : {}),
  }));

  async next(): Promise<void> {
    const after = this.stages[this.stages.indexOf(this.stage) + 1];
    if (!after || this.whyNotNext) return;
    if (after === 'review') await this.makePlan();
    this.stage = after;
  }
  back(to: Stage): void {
    this.stage = to;
    this.error = null;
  }

  async makePlan(): Promise<void> {
    this.plan = null;
    this.error = null;
    this.busy = true;
    try {
      const answer = await trpc().vms.preview.mutate(this.request);
      if (answer.ok) this.plan = answer.preview;
      else this.error = presentIssues(answer.issues);
    } catch (thrown) {
      this.error = presentError(thrown);
    } finally {
      this.busy = false;
    }
  }

  /** @returns whether it is being created */
  async create(): Promise<boolean> {
    this.busy = true;
    this.error = null;
    try {
      await trpc().vms.create.mutate(this.request);
      return true;
    } catch (thrown) {
      this.error = presentError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
