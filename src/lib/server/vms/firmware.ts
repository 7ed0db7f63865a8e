/** What a machine starts by, and its TPM: what was asked for, and what this host can give. */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { VmPlugin, VmSpec } from '$lib/plugin-api/vm';
import type { FirmwareOffer, VmFirmwareOffers } from '$lib/plugin-api/vm-extras';
import type { FirmwareKind } from '$lib/shared/firmware-kinds';
import type { Issue } from '$lib/shared/error-codes';
import { uefiMemoryIssues } from '$lib/shared/vm-rules';
import type { VmHost } from '$lib/shared/wire/vm-host';
import type { VmPlanRequest } from '$lib/shared/wire/vms';
import { AppError, issue, issuesError } from '../errors';
import type { VmDeps } from './deps';

export const nvramPathIn = (folder: string): string => posix.join(folder, 'nvram.fd');

export function kindOf({ firmware }: Pick<VmSpec, 'firmware'>): FirmwareKind {
  if (!firmware) return 'bios';
  return firmware.secure ? 'uefi-secure' : 'uefi';
}

const BIOS_ONLY = {
  reason: 'Machines of this plugin start by BIOS, and have no TPM.',
  remedy: 'Choose BIOS, without a TPM.',
};

/** All that is wrong with the choice on this host. */
function offerIssues(
  { firmware, tpm }: Pick<VmPlanRequest, 'firmware' | 'tpm'>,
  offers: VmFirmwareOffers | null,
): Issue[] {
  const files: FirmwareOffer | null = firmware === 'bios' ? null : (offers?.[firmware] ?? BIOS_ONLY);
  const emulator = tpm ? (offers?.tpm ?? { available: false as const, ...BIOS_ONLY }) : null;
  return [
    ...(files && 'reason' in files
      ? [issue('firmware_unavailable', files.reason, 'firmware', files.remedy)]
      : []),
    ...(emulator && !emulator.available
      ? [issue('tpm_unavailable', emulator.reason, 'tpm', emulator.remedy)]
      : []),
  ];
}

/** `isNew`: its id has been no machine's yet. @throws AppError as plugins.vmFirmware */
export async function firmwareIssues(
  deps: Pick<VmDeps, 'plugins'>,
  plugin: VmPlugin,
  request: Pick<VmPlanRequest, 'id' | 'firmware' | 'tpm' | 'memoryBytes'>,
  isNew: boolean,
): Promise<Issue[]> {
  const { firmware, tpm, memoryBytes, id } = request;
  if (firmware === 'bios' && !tpm) return [];
  const folder = tpm && isNew ? plugin.firmware?.tpmFolder({ id }) : undefined;
  return [
    ...uefiMemoryIssues(firmware, memoryBytes),
    ...offerIssues(request, await deps.plugins.vmFirmware(plugin.id)),
    ...(folder !== undefined && existsSync(folder)
      ? [
          issue(
            'tpm_left',
            `There is what the TPM of another machine with the same id keeps: ${folder}.`,
            'tpm',
          ),
        ]
      : []),
  ];
}

/** What becomes part of the machine. @throws AppError invalid_input */
export async function firmwareFor(
  deps: Pick<VmDeps, 'plugins'>,
  plugin: VmPlugin,
  folder: string,
  { firmware, tpm }: Pick<VmPlanRequest, 'firmware' | 'tpm'>,
): Promise<Pick<VmSpec, 'firmware' | 'tpm'>> {
  if (firmware === 'bios' && !tpm) return {};
  const offers = await deps.plugins.vmFirmware(plugin.id);
  const issues = offerIssues({ firmware, tpm }, offers);
  const files = firmware === 'bios' ? null : offers?.[firmware];
  if (issues.length > 0 || (files && 'reason' in files)) throw issuesError(issues);
  return {
    ...(files
      ? { firmware: { secure: firmware === 'uefi-secure', ...files, nvramPath: nvramPathIn(folder) } }
      : {}),
    ...(tpm ? { tpm } : {}),
  };
}

/** Of a clone: the same files of the host, and a memory of its own. @throws AppError firmware_unavailable | tpm_unavailable */
export async function clonedFirmware(
  deps: Pick<VmDeps, 'plugins'>,
  plugin: VmPlugin,
  { firmware, tpm }: VmSpec,
  folder: string,
): Promise<Pick<VmSpec, 'firmware' | 'tpm'>> {
  if (firmware && !existsSync(firmware.loaderPath))
    throw new AppError('firmware_unavailable', `There is no ${firmware.loaderPath} any more.`);
  if (firmware && !existsSync(firmware.nvramPath) && !existsSync(firmware.templatePath))
    throw new AppError(
      'firmware_unavailable',
      `There is neither ${firmware.nvramPath} nor a template of it.`,
    );
  if (tpm) await firmwareFor(deps, plugin, folder, { firmware: 'bios', tpm });
  return {
    ...(firmware ? { firmware: { ...firmware, nvramPath: nvramPathIn(folder) } } : {}),
    ...(tpm ? { tpm } : {}),
  };
}

/** A file that the clone's begins as; what is not there, because it was never started, begins anew. */
export const nvramFrom = ({ firmware }: VmSpec): { nvramFrom?: string } =>
  firmware && existsSync(firmware.nvramPath) ? { nvramFrom: firmware.nvramPath } : {};

/** For the plan of a machine that goes for good. */
export const tpmLosses = ({ name, spec }: { name: string; spec: VmSpec }): string[] =>
  spec.tpm && !spec.adopted
    ? [
        `What the TPM of "${name}" keeps, such as the keys of encrypted disks (BitLocker): a copy of such a disk needs its recovery key then.`,
      ]
    : [];

const whyText = (offer: FirmwareOffer | { available: boolean }): string | null =>
  'reason' in offer
    ? `${String(offer.reason)} ${'remedy' in offer ? String(offer.remedy) : ''}`.trim()
    : null;

/** For the form: why each cannot be chosen on this host; null: it can. */
export function firmwareTexts(offers: VmFirmwareOffers | null): VmHost['firmware'] {
  const all = offers ?? { uefi: BIOS_ONLY, 'uefi-secure': BIOS_ONLY, tpm: BIOS_ONLY };
  return { uefi: whyText(all.uefi), 'uefi-secure': whyText(all['uefi-secure']), tpm: whyText(all.tpm) };
}
