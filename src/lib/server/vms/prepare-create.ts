/** The plan of a new machine: what is read and decided first, so that everything after it follows from the input. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { VmCard, VmOrigin, VmSpec } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { proposedDiskBytes } from '$lib/shared/vm-disk-size';
import type { Image } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import { requestIssues } from '$lib/shared/wire/requests';
import { vmPlanRequest, type VmPlanRequest } from '$lib/shared/wire/vms';
import { AppError, issue, issuesError } from '../errors';
import { inspectImage } from '../host/inspect-image';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import { networkFileOf, networkIssues } from './card-network';
import { cpuModelIssues } from './cpu-model';
import { cardIssues, cardsOf, wishedCards } from './card-rules';
import { requestIssuesOf } from './check-request';
import { metaData, userData } from './cloud-init';
import { promisedDiskBytes } from './accounts';
import type { VmDeps } from './deps';
import { vmLock } from './kinds';
import { readMoreConfig } from './more-cloud-config';
import { firmwareFor, firmwareIssues } from './firmware';
import { folderIssues, folderOf, reachIssues, roomOn } from './place';
import { packedVolumes, readPacked, withChecks, type Packed } from './packed';
import type { VmSecrets } from './secrets';
import { shapeOf } from './shape';
import { tryMemorySteps } from './try-memory';
import { findVm, findVmByName, NO_POOL, type VmRecord } from './store';
import { formatsOf, mkfsIssues, mountsOf, volumesOf } from './volumes';

/** `roomBytes`: see accounts.ts. The record is as it will be written. */
export const createInput = z.object({
  record: z.custom<VmRecord>((value) => typeof value === 'object' && value !== null),
  roomBytes: z.number(),
  needsSecret: z.boolean(),
});

export function poolFor(pools: Pool[], guid: string): Pool {
  const pool = pools.find((one) => one.guid === guid);
  if (!pool) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
  if (pool.state !== 'ready' || !pool.mounted)
    throw new AppError('pool_wrong_state', `The pool "${pool.label}" is not mounted.`, {
      remedy: 'Mount it first, or choose another pool.',
    });
  return pool;
}

/** The pool of a machine that is there. @throws AppError vm_adopted | pool_not_found | pool_wrong_state */
export function poolOf({ pools }: Pick<VmDeps, 'pools'>, { name, poolGuid }: VmRecord): Pool {
  if (poolGuid === NO_POOL) throw new AppError('vm_adopted', `No disk of "${name}" lies on a pool.`);
  return poolFor(pools.list(), poolGuid);
}

interface Beginning {
  image: VmOrigin['image'];
  cdPath: string | null;
  disk: VmRecord['disk'];
  packed: Packed | null;
}

const tooSmall = (diskBytes: number, image: Image, least: number): Issue[] =>
  diskBytes >= least
    ? []
    : [
        issue(
          'disk_too_small',
          `"${image.name}" needs a disk of ${formatBytes(least)}, ${formatBytes(diskBytes)} are asked for.`,
          'diskBytes',
        ),
      ];

interface Begun {
  begins: Beginning;
  /** Of the first disk. */
  diskBytes: number;
  issues: Issue[];
}

const sizeOf = (
  { diskBytes, diskFreeBytes }: VmPlanRequest,
  virtualBytes: number,
  minDiskBytes: number | null = null,
): number => diskBytes ?? proposedDiskBytes({ virtualBytes, minDiskBytes }, diskFreeBytes ?? undefined);

/** What the disk begins as, and how large it is made; an ISO lies in the drive, beside an empty disk. */
async function beginningOf(deps: VmDeps, request: VmPlanRequest, image: Image | null): Promise<Begun> {
  const begins: Beginning = { image: null, cdPath: null, disk: 'empty', packed: null };
  if (!image) return { begins, diskBytes: sizeOf(request, 0), issues: [] };
  const path = image.path ?? '';
  if (image.format === 'iso') {
    const diskBytes = sizeOf(request, 0, image.minDiskBytes);
    return { begins: { ...begins, cdPath: path }, diskBytes, issues: [] };
  }
  if (image.format === 'ova') {
    const packed = await readPacked(deps, path);
    const { virtualBytes } = packed.first;
    const diskBytes = sizeOf(request, virtualBytes);
    return {
      begins: { ...begins, image: packed.first, disk: 'copy', packed },
      ...{ diskBytes, issues: tooSmall(diskBytes, image, virtualBytes) },
    };
  }
  const format = image.format === 'raw' ? 'raw' : 'qcow2';
  const { virtualBytes, obstacle } = await inspectImage(deps.host.commands, path, format);
  const diskBytes = sizeOf(request, virtualBytes, image.minDiskBytes);
  return {
    begins: { ...begins, image: { path, format, how: request.disk }, disk: request.disk },
    diskBytes,
    issues:
      obstacle === null
        ? tooSmall(diskBytes, image, Math.max(virtualBytes, image.minDiskBytes ?? 0))
        : [issue('image_unsupported', obstacle, 'imageId')],
  };
}

async function placeIssues(deps: VmDeps, folder: string, imagePath: string | null): Promise<Issue[]> {
  if (deps.config.sandbox) return folderIssues(folder);
  const [there, reach, image] = await Promise.all([
    folderIssues(folder),
    reachIssues(folder, 'poolGuid'),
    imagePath === null ? [] : reachIssues(imagePath, 'imageId'),
  ]);
  return [...there, ...reach, ...image];
}

export function nameTaken(
  deps: VmDeps,
  plugin: string,
  request: Pick<VmPlanRequest, 'id' | 'name'>,
): Issue[] {
  const other = findVmByName(deps.db, request.name);
  const taken = (message: string): Issue[] => [issue('vm_name_taken', message, 'name')];
  if (other && other.id !== request.id)
    return taken(
      other.state === 'creating'
        ? `A machine called "${request.name}" is being created.`
        : `There is a machine called "${request.name}" already.`,
    );
  return deps.readings.all(plugin)?.some(({ id, name }) => name === request.name && id !== request.id)
    ? taken(`${deps.plugins.vm(plugin).name} has a machine called "${request.name}" that Cairn did not make.`)
    : [];
}

function originOf(request: VmPlanRequest, begins: Beginning, secrets: VmSecrets, cards: VmCard[]): VmOrigin {
  const { cloudInit: login } = request;
  return {
    image: begins.image,
    formats: formatsOf(request, begins.packed?.more.length),
    ...(begins.packed ? { packed: packedVolumes(begins.packed) } : {}),
    seed: login
      ? {
          userData: userData(request.name, {
            ...{ ...login, mounts: mountsOf(request) },
            more: readMoreConfig(login.more).content,
          }),
          metaData: metaData(request.id, request.name),
          networkConfig: networkFileOf(login.network, cards),
          secretPath: login.hasPassword ? secrets.path(request.id) : null,
        }
      : null,
  };
}

export async function prepareCreate(deps: VmDeps, secrets: VmSecrets, raw: JsonObject): Promise<Prepared> {
  const parsed = vmPlanRequest.safeParse(raw);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const request = parsed.data;
  const plugin = deps.plugins.vm(request.plugin);
  const image = deps.images.list().find(({ id }) => id === request.imageId) ?? null;
  const issues = [
    ...requestIssuesOf(request, image, deps.hostSize()),
    ...nameTaken(deps, plugin.id, request),
    ...(await cardIssues(deps, plugin, request)),
    ...(await cpuModelIssues(deps, plugin, request.cpuModel)),
    ...(await firmwareIssues(deps, plugin, request, findVm(deps.db, request.id) === undefined)),
    ...(await networkIssues(deps, request.cloudInit?.network, {
      id: request.id,
      slots: request.cards ? request.cards.map((_card, index) => index + 1) : [1],
    })),
  ];
  if (issues.length > 0) throw issuesError(issues);
  const pool = poolFor(deps.pools.list(), request.poolGuid);
  const folder = folderOf(pool.mountPath, request.name);
  const { begins, diskBytes, issues: wrong } = await beginningOf(deps, request, image);
  const more = begins.packed?.more.map(({ virtualBytes }) => virtualBytes) ?? [];
  wrong.push(...mkfsIssues(plugin, request, more.length));
  wrong.push(...(await placeIssues(deps, folder, image?.path ?? null)));
  if (wrong.length > 0) throw issuesError(wrong);

  const trial = await deps.plugins.acceleration(plugin.id);
  const before = findVm(deps.db, request.id);
  const spec: VmSpec = {
    ...{ id: request.id, name: request.name, cpus: request.cpus, memoryBytes: request.memoryBytes },
    ...shapeOf(request),
    ...{ virtType: trial.virtType, folder, diskBytes, cdPath: begins.cdPath },
    diskPath: posix.join(folder, 'disk.qcow2'),
    seedPath: request.cloudInit ? posix.join(folder, 'seed.iso') : null,
    asRoot: deps.config.sandbox,
    ...(await firmwareFor(deps, plugin, folder, request)),
    ...(request.disks.length + more.length > 0 ? { moreDisks: volumesOf(request, folder, more) } : {}),
  };
  const network = request.cloudInit?.network ?? [];
  if (network.length > 0) spec.seedNetwork = { addresses: network.flatMap(({ addresses }) => addresses) };
  if (request.cards) spec.cards = wishedCards(plugin, spec, request.cards);
  const record: VmRecord = {
    ...{ id: spec.id, name: spec.name, plugin: plugin.id, state: 'creating', spec, disk: begins.disk },
    ...{ cpus: spec.cpus, memoryBytes: spec.memoryBytes, diskBytes: promisedDiskBytes(spec) },
    ...{
      virtType: spec.virtType,
      poolGuid: pool.guid,
      imageId: image?.id ?? '',
      imageName: image?.name ?? '',
    },
    ...{ user: request.cloudInit?.user ?? null, failedOperationId: null, failedText: null },
    createdAt: before?.createdAt ?? deps.clock.now(),
  };
  const made = plugin.create(spec, originOf(request, begins, secrets, cardsOf(spec, plugin)));
  const steps = checkVmPlan(plugin, spec, onceEach([...made, ...plugin.start(spec)]));
  return {
    input: JSON.parse(
      JSON.stringify({
        record,
        roomBytes: await roomOn(deps, pool),
        needsSecret: request.cloudInit?.hasPassword === true,
      }),
    ) as JsonObject,
    title: `Create machine ${spec.name}`,
    subject: { type: 'vm', id: spec.id, label: spec.name },
    steps: withChecks(steps.toSpliced(made.length, 0, ...tryMemorySteps(spec)), begins.packed, spec),
    locks: [
      vmLock(spec.id),
      `path:${folder}`,
      ...(spec.cards ?? []).map(({ mac }) => `mac:${mac}`),
      ...[...new Set([pool.guid, image?.pool?.guid ?? pool.guid])].map((guid) => usesLock(`pool:${guid}`)),
      ...(image ? [usesLock(`image:${image.id}`)] : []),
    ],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      ...(trial.virtType === 'qemu' ? [`The machine is emulated, which is slow. ${trial.reason}`] : []),
      ...(image
        ? []
        : ['Its disk is empty: it starts from the network, or from a CD that is put into its drive.']),
      ...(begins.disk === 'overlay'
        ? [`Its disk keeps what differs from ${image?.path ?? ''}, which has to stay.`]
        : []),
      ...(begins.packed && begins.packed.pieces.length === 0
        ? [`${image?.name ?? ''} has no checksums: whether it was damaged on its way is not noticed.`]
        : []),
    ],
  };
}

/** Starting makes known what creating has made known just before. */
function onceEach<S extends { name: string }>(steps: S[]): S[] {
  return steps.filter((step, index) => steps.findIndex(({ name }) => name === step.name) === index);
}
