/**
 * What machines can start by on this host, and whether they can have a TPM. The files of UEFI are found by the descriptors that
 * its package leaves for programs like this one (docs/interop/firmware.json of QEMU); libvirt says whether it can use them, and
 * whether it has found swtpm (libvirt.org/formatdomaincaps.html).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type {
  FirmwareOffer,
  PluginContext,
  VmFirmwareOffers,
  VmSpec,
  XmlNode,
} from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { VIRSH, virsh } from './virsh';

/** What an administrator puts into the first one stands for the file of that name in the second; an empty file takes it away. */
const FOLDERS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware'];
const MACHINE = 'pc-q35-';
const ARCHITECTURE = 'x86_64';
const TIMEOUT_MS = 20_000;

/** Where libvirt has swtpm keep what is in the TPM of each machine. */
const TPM_FOLDER = '/var/lib/libvirt/swtpm';
export const tpmFolder = ({ id }: Pick<VmSpec, 'id'>): string => {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new TypeError(`${id} is no UUID`);
  return posix.join(TPM_FOLDER, id);
};

interface Found {
  loaderPath: string;
  templatePath: string;
  features: Set<string>;
}

const listed = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** null: it is none that is of use here. @throws Error for what is no descriptor */
export function parseDescriptor(text: string): Found | null {
  const descriptor = record(JSON.parse(text));
  const mapping = record(descriptor['mapping']);
  const [program, template] = [record(mapping['executable']), record(mapping['nvram-template'])];
  const fits = listed(descriptor['targets'])
    .map(record)
    .some(
      ({ architecture, machines }) =>
        architecture === ARCHITECTURE &&
        listed(machines).some((one) => typeof one === 'string' && one.startsWith(MACHINE)),
    );
  const [loaderPath, templatePath] = [program['filename'], template['filename']];
  const isPlain =
    listed(descriptor['interface-types']).includes('uefi') &&
    mapping['device'] === 'flash' &&
    [undefined, 'split'].includes(mapping['mode'] as string | undefined) &&
    program['format'] === 'raw' &&
    template['format'] === 'raw';
  if (!isPlain || !fits || typeof loaderPath !== 'string' || typeof templatePath !== 'string') return null;
  const features = listed(descriptor['features']).filter((one) => typeof one === 'string');
  return { loaderPath, templatePath, features: new Set(features) };
}

/** All that are of use, the preferred ones first. */
export function readDescriptors(folders: string[] = FOLDERS): Found[] {
  const files = new Map<string, string>();
  for (const folder of folders)
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (name.endsWith('.json') && !files.has(name)) files.set(name, join(folder, name));
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, path]) => {
      const text = readFileSync(path, 'utf8');
      try {
        return (text.trim() === '' ? null : parseDescriptor(text)) ?? [];
      } catch (error) {
        throw new Error(`${path} is no description of a firmware: ${String(error)}`, { cause: error });
      }
    })
    .filter(({ loaderPath, templatePath }) => existsSync(loaderPath) && existsSync(templatePath));
}

const INSTALL_UEFI = 'Install the package ovmf: apt-get install ovmf';
const INSTALL_TPM = 'Install the packages swtpm and swtpm-tools: apt-get install swtpm swtpm-tools';
const NO_FILES: Record<'uefi' | 'uefi-secure', string> = {
  uefi: 'This host has no UEFI firmware for machines.',
  'uefi-secure': 'This host has no UEFI firmware with secure boot and the keys that it needs.',
};

function enumValues({ childrenOf }: PluginSdk, node: XmlNode | undefined, name: string): string[] {
  const found = childrenOf(node, 'enum').find(({ attributes }) => attributes['name'] === name);
  return childrenOf(found, 'value').map(({ text }) => text ?? '');
}

export function offersOf(sdk: PluginSdk, capabilities: XmlNode, found: Found[]): VmFirmwareOffers {
  const { childOf, childrenOf } = sdk;
  if (capabilities.name !== 'domainCapabilities') throw new Error(`the element <${capabilities.name}>`);
  const loader = childOf(capabilities, 'os', 'loader');
  const offer = (kind: 'uefi' | 'uefi-secure'): FirmwareOffer => {
    const secure = kind === 'uefi-secure';
    const canFlash = enumValues(sdk, loader, 'type').includes('pflash');
    if (!canFlash || (secure && !enumValues(sdk, loader, 'secure').includes('yes')))
      return {
        reason: `libvirt cannot start machines by UEFI${secure ? ' with secure boot' : ''} here.`,
        remedy: 'Install a newer qemu-system-x86 and libvirt-daemon-system.',
      };
    const wanted = ['secure-boot', 'enrolled-keys', 'requires-smm'];
    const one = found.find(({ features }) => wanted.every((feature) => features.has(feature) === secure));
    return one
      ? { loaderPath: one.loaderPath, templatePath: one.templatePath }
      : { reason: NO_FILES[kind], remedy: INSTALL_UEFI };
  };
  const tpm = childOf(capabilities, 'devices', 'tpm');
  const named = childrenOf(childOf(capabilities, 'cpu'), 'mode').find(
    ({ attributes }) => attributes['name'] === 'custom' && attributes['supported'] === 'yes',
  );
  const hasTpm =
    enumValues(sdk, tpm, 'model').includes('tpm-crb') &&
    enumValues(sdk, tpm, 'backendModel').includes('emulator') &&
    enumValues(sdk, tpm, 'backendVersion').includes('2.0');
  return {
    uefi: offer('uefi'),
    'uefi-secure': offer('uefi-secure'),
    // The others need what this host cannot give.
    cpuModels: childrenOf(named, 'model').flatMap(({ attributes, text }) =>
      attributes['usable'] === 'yes' && text ? [text] : [],
    ),
    tpm: hasTpm
      ? { available: true }
      : {
          available: false,
          reason: 'This host has no emulator of TPMs that libvirt could use.',
          remedy: INSTALL_TPM,
        },
  };
}

export const firmwareOf = (sdk: PluginSdk) => ({
  tpmFolder,
  async read(context: PluginContext, virtType: 'kvm' | 'qemu'): Promise<VmFirmwareOffers> {
    const question = virsh(
      'domcapabilities',
      '--machine',
      'q35',
      '--arch',
      ARCHITECTURE,
      '--virttype',
      virtType,
    );
    const { stdout } = await context.read(VIRSH, question, { timeoutMs: TIMEOUT_MS });
    const parse = sdk.defineParser('virsh domcapabilities', (text) =>
      offersOf(sdk, sdk.parseXml(text), readDescriptors()),
    );
    return parse(stdout);
  },
});
