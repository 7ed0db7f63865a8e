/**
 * /etc/network/interfaces (interfaces(5)): what it says of a link, and the same text with a bridge in it or without. Pure.
 *
 * What Cairn writes stands between two lines of its own, and what was there before stands in it as a comment: so that it can be
 * taken out again, by Cairn or by hand. Everything else of the file stays as it is, to the byte.
 */
import { AppError } from '../errors';

export interface BridgePort {
  /** Of the host's network card. */
  id: string;
  mac: string | null;
  /** null: whatever the card carries without a tag. */
  vlan: number | null;
}

interface Statement {
  kind: 'auto' | 'iface' | 'other';
  /** `auto` or `allow-hotplug`; of others the first word. */
  word: string;
  /** Links that it is about. */
  names: string[];
  /** Lines of the file, without the blank ones and comments after it. */
  from: number;
  to: number;
  options: { name: string; line: string }[];
}

const STARTS =
  /^(?:iface|auto|allow-[a-z]+|no-auto-down|no-scripts|mapping|source|source-directory|rename|template)$/;
const words = (line: string): string[] => line.trim().split(/\s+/);
const isText = (line: string): boolean => line.trim() !== '' && !line.trim().startsWith('#');

/** The whole file is in the plan, which is kept, and shown to everybody who may look. */
const SECRET =
  /^\s*((?:wpa|wireless|eap)-\S*(?:psk|pass|key|pin)\S*|\S*(?:password|passphrase|secret)\S*)\s/im;
function refuseSecrets(text: string): void {
  const option = SECRET.exec(text)?.[1];
  if (option !== undefined) throw refused(`It holds a secret (${option}), which a plan would show.`);
}

function statementsOf(lines: string[]): Statement[] {
  const found: Statement[] = [];
  for (const [at, line] of lines.entries()) {
    if (!isText(line)) continue;
    if (line.trimEnd().endsWith('\\'))
      throw refused(`Line ${at + 1} goes on in the next one, which Cairn does not read.`);
    const [word = '', ...rest] = words(line);
    const last = found.at(-1);
    if (!STARTS.test(word)) {
      if (!last || (last.kind !== 'iface' && last.word !== 'mapping'))
        throw refused(`Line ${at + 1} belongs to nothing: ${line.trim()}`);
      last.to = at + 1;
      last.options.push({ name: word, line });
      continue;
    }
    const kind = word === 'iface' ? 'iface' : word === 'auto' || word.startsWith('allow-') ? 'auto' : 'other';
    const names = kind === 'iface' ? rest.slice(0, 1) : rest;
    found.push({ kind, word, names, from: at, to: at + 1, options: [] });
  }
  return found;
}

export const INTERFACES = '/etc/network/interfaces';
const refused = (message: string): AppError =>
  new AppError('network_not_ours', `${INTERFACES}: ${message}`, {
    remedy: `Change ${INTERFACES} by hand; the bridge shows here as soon as it is there.`,
  });

/** What has to be done with the link alone, and would be lost or do harm on a bridge. */
const OWN_OPTIONS = /^(?:bridge|bond|vlan|wpa|wireless|tunnel|ovs|vxlan|inherits)/;
const COMMANDS = ['up', 'down', 'pre-up', 'post-up', 'pre-down', 'post-down'];

const begin = (bridge: string): string => `# Cairn: bridge ${bridge}, begin.`;
const end = (bridge: string): string => `# Cairn: bridge ${bridge}, end.`;
const WAS = '#| ';

/** The link that carries the tag, named as people do where the name is not too long for the kernel (15 bytes). */
export function vlanName({ id, vlan }: BridgePort): string | null {
  if (vlan === null) return null;
  const name = `${id}.${vlan}`;
  return name.length <= 15 ? name : `vlan${vlan}`;
}

/**
 * The host itself has no part in what its machines carry: otherwise it would give itself an address there, and take the routes of
 * any router that offers some. A kernel without IPv6 has no such file.
 */
function hostStaysOut(bridge: string): string {
  const setting = `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`;
  return `pre-up [ ! -e ${setting} ] || echo 1 >${setting}`;
}

/** Commands of ip(8), so that no package is needed but ifupdown. */
function commandsOf(bridge: string, port: BridgePort | null, takesOver: boolean): string[] {
  const indent = (line: string): string => `    ${line}`;
  if (!port)
    return [
      `pre-up ip link add name ${bridge} type bridge`,
      hostStaysOut(bridge),
      `up ip link set dev ${bridge} up`,
      `post-down ip link delete dev ${bridge} type bridge`,
    ].map(indent);
  const { id, mac, vlan } = port;
  const tagged = vlanName(port);
  const address = mac !== null && vlan === null ? ` address ${mac}` : '';
  return [
    `pre-up ip link add name ${bridge}${address} type bridge`,
    ...(takesOver ? [] : [hostStaysOut(bridge)]),
    ...(tagged === null ? [] : [`pre-up ip link add link ${id} name ${tagged} type vlan id ${vlan}`]),
    `pre-up ip link set dev ${tagged ?? id} master ${bridge}`,
    `pre-up ip link set dev ${id} up`,
    ...(tagged === null ? [] : [`pre-up ip link set dev ${tagged} up`]),
    `up ip link set dev ${bridge} up`,
    ...(tagged === null ? [] : [`post-down ip link delete dev ${tagged} type vlan`]),
    `post-down ip link delete dev ${bridge} type bridge`,
  ].map(indent);
}

/** @returns whether the file configures the link. @throws AppError network_not_ours for a text that cannot be read */
export const speaksOf = (text: string, link: string): boolean =>
  statementsOf(text.split('\n')).some(({ kind, names }) => kind !== 'other' && names.includes(link));

/**
 * The text with the bridge. What the file says of the port becomes the bridge's, unless a VLAN of the port is bridged.
 * @throws AppError network_not_ours
 */
export function withBridge(text: string, bridge: string, port: BridgePort | null): string {
  refuseSecrets(text);
  const lines = text.split('\n');
  const statements = statementsOf(lines);
  if (statements.some(({ names }) => names.includes(bridge)))
    throw refused(`It speaks of ${bridge} already.`);
  const about = statements.filter(({ names }) => port?.vlan === null && names.includes(port.id));
  const ifaces = about.filter(({ kind }) => kind === 'iface');
  if (port === null || ifaces.length === 0) {
    if (about.length > 0) throw refused(`It brings ${port?.id ?? ''} up and does not say how.`);
    const block = [
      begin(bridge),
      `auto ${bridge}`,
      `iface ${bridge} inet manual`,
      ...commandsOf(bridge, port, false),
      end(bridge),
    ];
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${block.join('\n')}\n`;
  }
  for (const { kind, word } of about)
    if (kind === 'other') throw refused(`Cairn cannot carry over "${word}" of ${port.id}.`);
  for (const { options } of ifaces)
    for (const { name } of options)
      if (OWN_OPTIONS.test(name) || COMMANDS.includes(name))
        throw refused(`${port.id} has "${name}", which Cairn cannot carry over to a bridge.`);
  const autos = about.filter(({ kind }) => kind === 'auto');
  const was = [
    ...autos.map(({ word }) => `${word} ${port.id}`),
    ...ifaces.flatMap(({ from, to }) => lines.slice(from, to)),
  ];
  const block = [
    `${begin(bridge)} Before it there was:`,
    ...was.map((line) => `${WAS}${line}`),
    // One that came up with its cable does so as a bridge, which has none.
    ...(autos.length > 0 ? [`auto ${bridge}`] : []),
    ...ifaces.flatMap(({ from, to }, index) => [
      lines[from]?.replace(/^(\s*iface\s+)\S+/, `$1${bridge}`) ?? '',
      ...lines.slice(from + 1, to).filter(isText),
      ...(index === 0 ? commandsOf(bridge, port, true) : []),
    ]),
    end(bridge),
  ];
  const first = about[0]?.from ?? 0;
  return lines
    .flatMap((line, at) => {
      const of = about.find(({ from, to }) => from <= at && at < to);
      const others = of?.kind === 'auto' ? of.names.filter((name) => name !== port.id) : [];
      const rest = of === undefined ? [line] : others.length > 0 ? [`${of.word} ${others.join(' ')}`] : [];
      return at === first ? [...rest, ...block] : rest;
    })
    .join('\n');
}

/** What stands in the block of a bridge. null: the file has none of Cairn's for it. */
export function bridgeBlock(
  text: string,
  bridge: string,
): { from: number; to: number; was: string[] } | null {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith(begin(bridge)));
  const to = lines.indexOf(end(bridge), from);
  if (from < 0 || to < 0) return null;
  const was = lines
    .slice(from, to)
    .filter((line) => line.startsWith(WAS))
    .map((line) => line.slice(WAS.length));
  return { from, to: to + 1, was };
}

/** The text as it was before the bridge. @throws AppError network_not_ours when Cairn has not made it */
export function withoutBridge(text: string, bridge: string): { text: string; port: string | null } {
  refuseSecrets(text);
  const block = bridgeBlock(text, bridge);
  if (!block)
    throw new AppError('network_not_ours', `Cairn has not made the bridge ${bridge}.`, {
      remedy: 'Take it away where it was made; the page follows at once.',
    });
  const lines = text.split('\n');
  lines.splice(block.from, block.to - block.from, ...block.was);
  const port = statementsOf(block.was).find(({ kind }) => kind === 'iface')?.names[0] ?? null;
  return { text: lines.join('\n'), port };
}
