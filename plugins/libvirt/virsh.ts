/** libvirt's own command line: where it is, how it is called, and what it answers. */
import type { CommandOutput, PluginContext, VmReading, VmUsage } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { devicesIn, type DomainDevices } from './parse-devices';
import { parseDomains, parseStates, parseUsage, type DomainState } from './parse-domains';
import { parseSize, type DomainSize } from './parse-size';

export const ID = 'libvirt';
export const VIRSH = '/usr/bin/virsh';
export const QEMU = '/usr/bin/qemu-system-x86_64';
export const XORRISO = '/usr/bin/xorriso';
/** virsh keeps what it says in a buffer when nobody types at it: events would come in bundles. */
export const STDBUF = '/usr/bin/stdbuf';
/** Where libvirtd listens; there while it runs, or while systemd listens in its place. */
export const SOCKET = '/run/libvirt/libvirt-sock';
/** Where libvirt writes the memory of machines that it saves. */
export const SAVE_FOLDER = '/var/lib/libvirt/qemu';
export const NETWORK = 'default';

export const virsh = (...words: string[]): string[] => ['-q', '-c', 'qemu:///system', ...words];

const TIMEOUT_MS = 10_000;

const PLAIN = /^[\w .;-]+$/;
/** `echo` of virsh takes quotes away: what it writes is not what was typed. */
const say = (mark: string): string => `echo '${mark.slice(0, 1)}''${mark.slice(1)}'`;
/** A question that is answered at once, for a virsh that is connected already. @throws Error for words that virsh could take for more than one */
export function ask(
  context: PluginContext,
  words: string[],
  options: { timeoutMs?: number; okExitCodes?: number[] } = {},
): Promise<CommandOutput> {
  const question = words.join(' ');
  if (!PLAIN.test(question)) throw new Error(`no question for virsh: ${JSON.stringify(words)}`);
  return context.read(VIRSH, virsh(...words), {
    timeoutMs: TIMEOUT_MS,
    ...options,
    talk: { argv: virsh(), line: (begin, end) => `${say(begin)}; ${question}; ${say(end)}` },
  });
}

const ALL_DOMAINS = 'list --all --uuid --name; list --all --with-managed-save --uuid; domstats --state --raw';
/** Every domain with its state: one start of virsh, one connection, however many there are. */
const readAll =
  <T>(parse: (text: string) => T[]) =>
  (sdk: PluginSdk) =>
  async (context: PluginContext): Promise<T[]> => {
    const { stdout } = await ask(context, [ALL_DOMAINS]);
    return sdk.defineParser('virsh list and domstats', parse)(stdout);
  };
export const readDomains = readAll<VmReading>(parseDomains);
export const readStates = readAll<DomainState>(parseStates);

const ALL_USAGE =
  'list --uuid --name; domstats --list-running --cpu-total --balloon --block --interface --nowait --raw';
/** Of every machine that is on. `--nowait`: one whose QEMU does not answer is told without what only QEMU knows. */
export const readUsage =
  (sdk: PluginSdk) =>
  async (context: PluginContext): Promise<VmUsage[]> => {
    const { stdout } = await ask(context, [ALL_USAGE]);
    return sdk.defineParser('virsh domstats', parseUsage)(stdout);
  };

/** What one domain has, and can have. */
export const readSize =
  (sdk: PluginSdk) =>
  async (context: PluginContext, id: string): Promise<DomainSize> => {
    const { stdout } = await ask(context, ['domstats', '--raw', '--vcpu', '--balloon', id]);
    return sdk.defineParser('virsh domstats', parseSize)(stdout);
  };

/** config: what it has whenever it is started. now: what it has, on or off. on: what it has because it is on; nothing when it is off. */
export const WHERE = ['config', 'now', 'on'] as const;
export type Where = (typeof WHERE)[number];

export const readDevices =
  (sdk: PluginSdk) =>
  async (context: PluginContext, id: string, where: Where): Promise<DomainDevices> => {
    const words = where === 'config' ? ['dumpxml', id, '--inactive'] : ['dumpxml', id];
    const { stdout } = await ask(context, words);
    const found = sdk.defineParser('virsh dumpxml', (text) => devicesIn(sdk.parseXml(text)))(stdout);
    return where === 'on' && !found.isOn ? { isOn: false, disks: [], macs: [], cards: [] } : found;
  };

/** The definition of one domain, as it is started the next time. Without its passwords: those take `--security-info`. */
export async function readDefinition(context: PluginContext, id: string): Promise<string> {
  const { stdout } = await ask(context, ['dumpxml', '--inactive', id]);
  return stdout;
}

const SECRET =
  'Its definition holds a password, which Cairn shows to nobody and writes nowhere. Change it with virsh edit.';
/** The same, to be changed: what is left out of it would be lost. `why` it must not be; null: nothing is left out. */
export async function readEditable(
  context: PluginContext,
  id: string,
): Promise<{ definition: string; why: string | null }> {
  const { stdout: whole } = await context.read(VIRSH, virsh('dumpxml', '--inactive', '--security-info', id), {
    timeoutMs: TIMEOUT_MS,
  });
  const definition = await readDefinition(context, id);
  return { definition, why: definition === whole ? null : SECRET };
}

/** Names of the networks that are up. */
export async function activeNetworks(context: PluginContext): Promise<string[]> {
  const { stdout } = await ask(context, ['net-list', '--name']);
  return stdout.split('\n').filter(Boolean);
}
