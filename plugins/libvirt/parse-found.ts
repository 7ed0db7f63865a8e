/** `list --all --transient --uuid`, a `dumpxml --inactive` for each domain and `domstats --block --raw`, one after the other. Pure. */
import type { VmFirmware, VmFound, VmFoundCard, VmFoundDisk, XmlNode } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { topologyOf } from './definition';
import { MOST_DISKS, targetOf } from './domain-xml';
import { NETWORK } from './virsh';

type Reader = Pick<PluginSdk, 'childOf' | 'childrenOf' | 'parseXml'>;

const SLOTS = Array.from({ length: MOST_DISKS }, (_, index) => index + 1);
const KIB = 1024;

/** For people: what is behind a disk. */
function sourceOf(source: XmlNode | undefined): string {
  const { file, dev, dir, protocol, name, pool, volume, type } = source?.attributes ?? {};
  if (volume !== undefined) return `the volume ${volume} of libvirt’s pool ${pool ?? ''}`;
  if (protocol !== undefined) return `${protocol}: ${name ?? ''}`;
  return file ?? dev ?? dir ?? type ?? 'nothing that has a path';
}

type Bus = 'virtio' | 'sata';

function diskOf(
  { childOf }: Reader,
  disk: XmlNode,
  { sizes, bus }: { sizes: Map<string, number>; bus: Bus },
): VmFoundDisk {
  const target = childOf(disk, 'target');
  const name = target?.attributes['dev'] ?? '';
  const source = childOf(disk, 'source');
  const path = disk.attributes['type'] === 'file' ? (source?.attributes['file'] ?? null) : null;
  const asOurs =
    path !== null &&
    target?.attributes['bus'] === bus &&
    childOf(disk, 'driver')?.attributes['type'] === 'qcow2' &&
    !childOf(disk, 'readonly') &&
    (disk.attributes['device'] ?? 'disk') === 'disk';
  return {
    ...{ target: name, source: sourceOf(source), path, sizeBytes: sizes.get(name) ?? null },
    slot: asOurs ? (SLOTS.find((slot) => targetOf({ slot }) === name) ?? null) : null,
  };
}

function cardOf({ childOf }: Reader, card: XmlNode): VmFoundCard {
  const type = card.attributes['type'] ?? '';
  const { network, bridge, dev } = childOf(card, 'source')?.attributes ?? {};
  // One of Open vSwitch, or with a tag, is more than what is made here.
  const isPlain = type === 'bridge' && !childOf(card, 'virtualport') && !childOf(card, 'vlan');
  return {
    mac: (childOf(card, 'mac')?.attributes['address'] ?? '').toLowerCase(),
    network: [type, network ?? bridge ?? dev ?? ''].join(' ').trim(),
    isOurs: type === 'network' && network === NETWORK,
    bridge: isPlain ? (bridge ?? null) : null,
  };
}

/** libvirt tells memory in KiB, whatever was written. */
function memoryOf(node: XmlNode | undefined): number {
  const value = Number(node?.text);
  if (node?.attributes['unit'] !== 'KiB' || !(value > 0)) throw new Error('a domain without its memory');
  return value * KIB;
}

/** Where libvirt is to choose the files itself, it may not have chosen yet. */
export function firmwareIn({ childOf }: Pick<Reader, 'childOf'>, domain: XmlNode): VmFirmware | null {
  const [os, nvram] = [childOf(domain, 'os'), childOf(domain, 'os', 'nvram')];
  const loader = childOf(os, 'loader');
  if (!nvram && loader?.attributes['type'] !== 'pflash' && os?.attributes['firmware'] !== 'efi') return null;
  return {
    secure: loader?.attributes['secure'] === 'yes',
    loaderPath: loader?.text ?? '',
    ...{ templatePath: nvram?.attributes['template'] ?? '', nvramPath: nvram?.text ?? '' },
  };
}

function foundIn(
  sdk: Reader,
  domain: XmlNode,
  { transient, sizes }: { transient: Set<string>; sizes: Map<string, Map<string, number>> },
): VmFound {
  const { childOf, childrenOf } = sdk;
  const [id, name] = [childOf(domain, 'uuid')?.text, childOf(domain, 'name')?.text];
  const vcpu = childOf(domain, 'vcpu');
  const cpus = Number(vcpu?.attributes['current'] ?? vcpu?.text);
  if (domain.name !== 'domain' || !id || !name || !(cpus > 0))
    throw new Error(`the element <${domain.name}> is no domain`);
  const devices = childOf(domain, 'devices');
  const all = childrenOf(devices, 'disk');
  const isMedium = (disk: XmlNode): boolean =>
    ['cdrom', 'floppy'].includes(disk.attributes['device'] ?? 'disk');
  const disks = all.filter((disk) => !isMedium(disk));
  // No guest sees the target: only what is made here is called as a virtio disk where it is none.
  const isCommon =
    disks.length > 0 &&
    disks.every((disk) => {
      const { bus, dev } = childOf(disk, 'target')?.attributes ?? {};
      return bus === 'sata' && dev?.startsWith('vd');
    });
  const about = {
    sizes: sizes.get(name) ?? new Map<string, number>(),
    bus: isCommon ? 'sata' : 'virtio',
  } as const;
  const cpu = childOf(domain, 'cpu');
  const model = childOf(cpu, 'model')?.text;
  return {
    ...{ id, name, cpus, memoryBytes: memoryOf(childOf(domain, 'memory')) },
    virtType: domain.attributes['type'] === 'kvm' ? 'kvm' : 'qemu',
    topology: topologyOf(sdk, domain),
    firmware: firmwareIn(sdk, domain),
    tpm: childOf(devices, 'tpm') !== undefined,
    ...(model && cpu?.attributes['mode'] === 'custom' ? { cpuModel: model } : {}),
    isTransient: transient.has(id),
    ...(isCommon ? { devices: 'common' as const } : {}),
    disks: disks.map((disk) => diskOf(sdk, disk, about)),
    media: all.filter(isMedium).map((disk) => ({
      target: childOf(disk, 'target')?.attributes['dev'] ?? '',
      path: childOf(disk, 'source')?.attributes['file'] ?? null,
    })),
    cards: childrenOf(devices, 'interface').map((card) => cardOf(sdk, card)),
  };
}

/** What guests see of their disks, bytes, by the name of the domain and the target. */
function sizesIn(text: string): Map<string, Map<string, number>> {
  const sizes = new Map<string, Map<string, number>>();
  for (const block of text.split(/^Domain: /m).slice(1)) {
    const name = /^'(.*)'/.exec(block)?.[1] ?? '';
    const fields = new Map(
      [...block.matchAll(/^ +(block\.\d+\.\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]),
    );
    const bytes = new Map<string, number>();
    for (const [key, target] of fields) {
      const capacity = fields.get(key?.replace(/\.name$/, '.capacity'));
      if (key?.endsWith('.name') && target !== undefined && capacity !== undefined && key !== capacity)
        bytes.set(target, Number(capacity));
    }
    sizes.set(name, bytes);
  }
  return sizes;
}

/** @throws Error for a definition that is none. One that is gone meanwhile is in none of the answers. */
export function parseFound(sdk: Reader, text: string): VmFound[] {
  const dumps = [...text.matchAll(/^<domain [^]*?^<\/domain>$/gm)].map(([dump]) => dump);
  const [before = ''] = text.split(/^<domain /m);
  const rest = text.slice(text.lastIndexOf('\n</domain>') + 1);
  const transient = new Set(
    before
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  );
  const sizes = sizesIn(rest);
  return dumps.map((dump) => foundIn(sdk, sdk.parseXml(dump), { transient, sizes }));
}
