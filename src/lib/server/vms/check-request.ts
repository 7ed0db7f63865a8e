/** What is wrong with a request for a machine, all of it at once. */
import type { VmSize } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import { formatBytes } from '$lib/shared/units';
import {
  packageIssues,
  sshKeyIssues,
  topologyIssues,
  userNameIssues,
  vmNameIssues,
} from '$lib/shared/vm-rules';
import { volumeIssues } from '$lib/shared/vm-volumes';
import type { Image, ImageBadge } from '$lib/shared/wire/images';
import type { VmPlanRequest } from '$lib/shared/wire/vms';
import { issue } from '../errors';
import type { HostSize } from '../host/host-size';
import { hostArch } from '../images/file-names';
import { HOST_MEMORY_BYTES } from './accounts';
import { readMoreConfig } from './more-cloud-config';

const MIB = 1024 ** 2;
/** Less than any system can start with. */
const LEAST_MEMORY_BYTES = 16 * MIB;
const LEAST_DISK_BYTES = MIB;
const SECTOR_BYTES = 512;

function cpuIssues(cpus: number, host: HostSize): Issue[] {
  if (!Number.isSafeInteger(cpus) || cpus < 1)
    return [issue('cpus_invalid', `A machine cannot have ${cpus} CPUs.`, 'cpus')];
  if (cpus > host.cpus)
    return [issue('cpus_too_many', `The host has ${host.cpus} CPUs, ${cpus} are asked for.`, 'cpus')];
  return [];
}

function memoryIssues(bytes: number, host: HostSize): Issue[] {
  if (!Number.isSafeInteger(bytes) || bytes < LEAST_MEMORY_BYTES)
    return [
      issue(
        'memory_invalid',
        `A machine needs ${formatBytes(LEAST_MEMORY_BYTES)} of memory at least.`,
        'memoryBytes',
      ),
    ];
  const most = host.memoryBytes - HOST_MEMORY_BYTES;
  if (bytes > most)
    return [
      issue(
        'memory_too_much',
        `${formatBytes(bytes)} are asked for. The host has ${formatBytes(host.memoryBytes)} and keeps ${formatBytes(HOST_MEMORY_BYTES)} for itself.`,
        'memoryBytes',
      ),
    ];
  if (bytes > host.availableBytes)
    return [
      issue(
        'memory_taken',
        `Only ${formatBytes(host.availableBytes)} of memory are free on the host now; ${formatBytes(bytes)} are asked for.`,
        'memoryBytes',
      ),
    ];
  return [];
}

export const diskIssues = (bytes: number, field: string): Issue[] =>
  Number.isSafeInteger(bytes) && bytes >= LEAST_DISK_BYTES && bytes % SECTOR_BYTES === 0
    ? []
    : [issue('disk_invalid', `A disk cannot have ${bytes} bytes.`, field)];

/** Its size, or how much is to be free on it; the size itself is known once its image was looked into. */
function firstDiskIssues({ diskBytes, diskFreeBytes }: VmPlanRequest): Issue[] {
  if (diskBytes == null)
    return diskFreeBytes == null || (Number.isSafeInteger(diskFreeBytes) && diskFreeBytes >= 0)
      ? []
      : [issue('disk_invalid', `A disk cannot have ${diskFreeBytes} bytes free.`, 'diskFreeBytes')];
  if (diskFreeBytes != null)
    return [
      issue('disk_invalid', 'Say how large the disk is, or how much is to be free on it.', 'diskFreeBytes'),
    ];
  return diskIssues(diskBytes, 'diskBytes');
}

const COMING: Partial<Record<ImageBadge, string>> = {
  downloading: 'downloaded',
  uploading: 'uploaded',
  converting: 'converted',
};

/** Machines begin as these. */
const STARTS: readonly string[] = ['qcow2', 'raw', 'iso', 'ova'];

/** An image that a machine can begin as, with its file; or why not. */
export function imageIssues(image: Image | null, imageId: string): Issue[] {
  const field = 'imageId';
  if (!image) return [issue('image_not_found', `There is no image ${imageId}.`, field)];
  if (image.badge === 'refused' || image.badge === 'needs-conversion')
    return [issue('image_unsupported', `"${image.name}": ${image.badgeText ?? ''}`, field)];
  if (image.badge !== 'ready' || image.path === null)
    return [
      issue(
        'image_not_ready',
        COMING[image.badge] !== undefined
          ? `"${image.name}" is still being ${COMING[image.badge]}.`
          : (image.badgeText ?? `"${image.name}" has not been downloaded yet.`),
        field,
        image.badge === 'downloading' ? 'Wait until it is there.' : undefined,
      ),
    ];
  if (image.format === 'ova' && image.machine === null)
    return [
      issue('image_not_ready', `"${image.name}" has not been looked into yet.`, field, 'Wait a moment.'),
    ];
  if (!STARTS.includes(image.format ?? ''))
    return [
      issue(
        'image_unsupported',
        `"${image.name}" is a ${image.format ?? 'file of a'} format that cannot be started.`,
        field,
      ),
    ];
  if (image.arch !== null && image.arch !== hostArch())
    return [
      issue(
        'image_unsupported',
        `"${image.name}" is made for ${image.arch}, and this host is ${hostArch()}.`,
        field,
      ),
    ];
  return [];
}

function loginIssues({ cloudInit, disks }: VmPlanRequest): Issue[] {
  if (!cloudInit) return [];
  const { user, sshKeys, hasPassword, packages, more } = cloudInit;
  return [
    ...userNameIssues(user),
    ...sshKeys.flatMap((key, index) => sshKeyIssues(key, `cloudInit.sshKeys.${index}`)),
    ...(sshKeys.length === 0 && !hasPassword
      ? [issue('no_login', `Without a key and without a password "${user}" could not log in.`, 'cloudInit')]
      : []),
    ...packageIssues(packages),
    ...readMoreConfig(
      more,
      disks.some(({ mountPoint }) => mountPoint !== ''),
    ).issues,
  ];
}

/** The same for a machine that is there. */
export const sizeIssues = ({ cpus, memoryBytes }: VmSize, host: HostSize): Issue[] => [
  ...cpuIssues(cpus, host),
  ...memoryIssues(memoryBytes, host),
];

export const requestIssuesOf = (request: VmPlanRequest, image: Image | null, host: HostSize): Issue[] => [
  ...vmNameIssues(request.name),
  ...(request.imageId === null ? [] : imageIssues(image, request.imageId)),
  ...sizeIssues(request, host),
  ...topologyIssues(request.cpus, request.topology ?? null),
  ...firstDiskIssues(request),
  ...volumeIssues(request.disks, request.cloudInit !== undefined),
  ...loginIssues(request),
];
