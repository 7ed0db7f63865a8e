/**
 * What libvirt has no verb for is changed in the definition itself, as nodes: one part of it is exchanged, and all else, known or
 * not, goes back as it came (libvirt.org/formatdomain.html). A look tells the part from the rest, so that what somebody else has
 * changed since is never written over. Pure.
 */
import { createHash } from 'node:crypto';
import type { Step, VmTopology, XmlNode } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';

type Reader = Pick<PluginSdk, 'childOf' | 'childrenOf'>;

/** CPUs and how they are arranged; which devices are started from, in which order. */
export const PARTS = ['cpus', 'boot'] as const;
export type Part = (typeof PARTS)[number];

const without = (node: XmlNode, name: string): XmlNode => ({
  ...node,
  children: node.children.filter((child) => child.name !== name),
});
/** The first child of this name exchanged; one that is not there stays away. */
const withChild = (node: XmlNode, name: string, change: (child: XmlNode) => XmlNode): XmlNode => ({
  ...node,
  children: node.children.map((child) => (child.name === name ? change(child) : child)),
});

const KEYS = ['sockets', 'cores', 'threads'] as const;
/** null: each CPU is a socket of its own. */
export function topologyOf({ childOf }: Reader, domain: XmlNode): VmTopology | null {
  const node = childOf(domain, 'cpu', 'topology');
  if (!node) return null;
  const [sockets = 0, cores = 0, threads = 0] = KEYS.map((key) => Number(node.attributes[key]));
  return { sockets, cores, threads };
}
/** Elements that can be started from. */
const STARTABLE = new Set(['disk', 'interface', 'hostdev', 'redirdev']);
const orderOf = ({ childOf }: Reader, device: XmlNode): number =>
  Number(childOf(device, 'boot')?.attributes['order'] ?? NaN);

/** What a device is known by: `disk:vda`, `interface:52:54:00:01:02:03`, and others by their place. */
const keyOf = ({ childOf }: Reader, device: XmlNode, index: number): string =>
  `${device.name}:${
    childOf(device, 'target')?.attributes['dev'] ??
    childOf(device, 'mac')?.attributes['address']?.toLowerCase() ??
    String(index)
  }`;

/** Of all devices that can be started from. */
export const deviceKeys = (reader: Reader, domain: XmlNode): string[] =>
  (reader.childOf(domain, 'devices')?.children ?? [])
    .map((device, index) => ({ device, key: keyOf(reader, device, index) }))
    .filter(({ device }) => STARTABLE.has(device.name))
    .map(({ key }) => key);

/** Keys of the devices that are started from, the first one first. */
export function bootKeys(reader: Reader, domain: XmlNode): string[] {
  const devices = reader.childOf(domain, 'devices')?.children ?? [];
  return devices
    .map((device, index) => ({ key: keyOf(reader, device, index), order: orderOf(reader, device) }))
    .filter(({ order }) => order > 0)
    .toSorted((a, b) => a.order - b.order)
    .map(({ key }) => key);
}

/** The same text for the same thing, however libvirt writes it. */
export function partText(reader: Reader, part: Part, domain: XmlNode): string {
  if (part === 'boot') {
    const old = reader
      .childrenOf(reader.childOf(domain, 'os'), 'boot')
      .map(({ attributes }) => attributes['dev']);
    return [...bootKeys(reader, domain), ...old].join(' ');
  }
  const cpus = reader.childOf(domain, 'vcpu');
  const { sockets, cores, threads } = topologyOf(reader, domain) ?? {};
  const arranged = sockets === undefined ? '' : `, ${sockets}x${cores ?? 0}x${threads ?? 0}`;
  return `${cpus?.attributes['current'] ?? cpus?.text ?? ''} of ${cpus?.text ?? ''}${arranged}`;
}
function stripped(part: Part, domain: XmlNode): XmlNode {
  if (part === 'cpus')
    return withChild(without(without(domain, 'vcpu'), 'vcpus'), 'cpu', (cpu) => without(cpu, 'topology'));
  const bare = withChild(domain, 'os', (os) => without(os, 'boot'));
  return withChild(bare, 'devices', (devices) => ({
    ...devices,
    children: devices.children.map((device) => without(device, 'boot')),
  }));
}
/** Of all but the part. */
export const restHash = ({ xmlText }: Pick<PluginSdk, 'xmlText'>, part: Part, domain: XmlNode): string =>
  createHash('sha256')
    .update(xmlText(stripped(part, domain)))
    .digest('hex');

/** All of them there from the start on. */
export function withCpus(
  { xml }: PluginSdk,
  domain: XmlNode,
  cpus: number,
  topology: VmTopology | null,
): XmlNode {
  const { sockets, cores, threads } = topology ?? {};
  const node =
    topology === null
      ? null
      : xml('topology', { sockets: sockets ?? 1, cores: cores ?? 1, threads: threads ?? 1 });
  const counted = withChild(
    without(domain, 'vcpus'),
    'vcpu',
    ({ attributes: { current: _, ...attributes }, ...vcpu }) => ({
      ...{ ...vcpu, attributes, text: String(cpus) },
    }),
  );
  const arranged = withChild(counted, 'cpu', (cpu) => ({
    ...cpu,
    // libvirt's schema has it before the features.
    children: [
      ...cpu.children.filter(({ name }) => name === 'model' || name === 'vendor'),
      node,
      ...cpu.children.filter(({ name }) => !['model', 'vendor', 'topology'].includes(name)),
    ].filter((child) => child !== null),
  }));
  if (node === null || arranged.children.some(({ name }) => name === 'cpu')) return arranged;
  return { ...arranged, children: [...arranged.children, xml('cpu', {}, node)] };
}

/** @param keys see `bootKeys`; what others have added and can be started from comes after them, as it did */
export function withBoot(sdk: PluginSdk, domain: XmlNode, keys: string[]): XmlNode {
  const order = [...keys, ...bootKeys(sdk, domain).filter((key) => !/^(disk|interface):/.test(key))];
  // Of the old kind, by the class of a device: it cannot be had beside the other.
  const bare = withChild(domain, 'os', (os) => without(os, 'boot'));
  return withChild(bare, 'devices', (devices) => ({
    ...devices,
    children: devices.children.map((device, index) => {
      if (!STARTABLE.has(device.name)) return device;
      const place = order.indexOf(keyOf(sdk, device, index)) + 1;
      const had = sdk.childOf(device, 'boot');
      const rest = without(device, 'boot');
      if (place === 0) return rest;
      const boot = { ...(had ?? sdk.xml('boot')), attributes: { ...had?.attributes, order: String(place) } };
      return { ...rest, children: [...rest.children, boot] };
    }),
  }));
}

export interface Edit {
  id: string;
  part: Part;
  /** Of the step. */
  name: string;
  title: string;
  /** As libvirt writes it now. */
  was: string;
  is: XmlNode;
}
export function editStep(sdk: PluginSdk, { id, part, name, title, was, is }: Edit): Step {
  const before = sdk.parseXml(was);
  const define = (stdin: string) => ({ ...run('define', '/dev/stdin'), stdin });
  return {
    ...{ name, title, run: define(sdk.xmlText(is)), undo: [define(was)] },
    look: look('definition', {
      ...{ id, part, is: partText(sdk, part, is), was: partText(sdk, part, before) },
      rest: restHash(sdk, part, before),
    }),
  };
}
