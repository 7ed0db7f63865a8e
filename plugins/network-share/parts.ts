/** What a pool on another machine's share is made of, and what of it may be put into a command. Pure. */
import type { Json } from '../../src/lib/plugin-api/plan';
import type { OptionProblem, PoolSpec } from '../../src/lib/plugin-api/storage';

export const ID = 'network-share';
export type ShareKind = 'nfs' | 'smb';

export interface Parts {
  kind: ShareKind;
  server: string;
  /** As mount(8) takes it, and as the mount table shows it. */
  source: string;
  filesystem: 'nfs' | 'cifs';
  /** Where the server answers, TCP. */
  port: number;
  /** Options of the mount after those that every pool has. */
  options: string[];
}

type Options = Record<string, Json>;
const text = (options: Options, name: string): string => String(options[name] ?? '');

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const IPV6 = /^(?=(?:[^:]*:){2})[0-9A-Fa-f:]{2,39}$/;
const isServer = (server: string): boolean =>
  server.length <= 253 && (IPV6.test(server) || server.split('.').every((part) => NAME.test(part)));
/** No comma: it would end an option. No leading dash anywhere, no "..", no doubled slash. */
const isExport = (path: string): boolean =>
  path === '/' ||
  (path.length <= 1_000 &&
    /^(?:\/[\p{L}\p{N}_.@+][\p{L}\p{N}_.@+ -]*)+$/u.test(path) &&
    !path.split('/').some((part) => part === '.' || part === '..' || part.endsWith(' ')));
const SHARE = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.$ -]{0,78}[\p{L}\p{N}_.$-])?$/u;
const USER = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.@ -]{0,102}[\p{L}\p{N}_.@-])?$/u;
const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/;

const PROBLEMS = {
  server: {
    message: (value: string) =>
      value === '' ? 'The server is not named.' : `${JSON.stringify(value)} is no name of a server.`,
    remedy: 'Give its name or address, such as nas.home.arpa, 192.168.1.10 or fd00::10.',
  },
  export: {
    message: (value: string) =>
      value === '' ? 'The export is not named.' : `${JSON.stringify(value)} is no path of an export.`,
    remedy:
      'Give the path as the server exports it, such as /srv/media: from its root on, without "..", a comma or a slash at its end.',
  },
  share: {
    message: (value: string) =>
      value === '' ? 'The share is not named.' : `${JSON.stringify(value)} is no name of a share.`,
    remedy: 'Give the name of the share alone, such as media: letters, digits, spaces and . _ $ - inside.',
  },
  username: {
    message: (value: string) => `${JSON.stringify(value)} is no name of a user.`,
    remedy: 'Give a name of letters, digits, spaces and . _ @ - inside; a domain has a field of its own.',
  },
  domain: {
    message: (value: string) => `${JSON.stringify(value)} is no name of a domain.`,
    remedy: 'Give letters, digits, dots, underscores and dashes, or leave it empty.',
  },
} as const;
type Checked = keyof typeof PROBLEMS;

const problem = (option: Checked, value: string): OptionProblem => ({
  option,
  message: PROBLEMS[option].message(value),
  remedy: PROBLEMS[option].remedy,
});

/** Everything that is wrong with the options of a layout, each by the name of its field. */
export function problems(request: { layout: string; options: Options; secrets: string[] }): OptionProblem[] {
  const { layout, options, secrets } = request;
  const unless = (option: Checked, fits: (value: string) => boolean): OptionProblem[] =>
    fits(text(options, option)) ? [] : [problem(option, text(options, option))];
  const hasPassword = secrets.includes('password');
  const username = text(options, 'username');
  if (layout === 'nfs') return [...unless('server', isServer), ...unless('export', isExport)];
  return [
    ...unless('server', isServer),
    ...unless('share', (value) => SHARE.test(value)),
    ...unless('username', (value) => value === '' || USER.test(value)),
    ...unless('domain', (value) => value === '' || DOMAIN.test(value)),
    ...(username !== '' && !hasPassword
      ? [
          {
            option: 'password',
            message: `The password of ${username} is missing.`,
            remedy: 'Enter it, or leave the user empty to come as a guest.',
          },
        ]
      : []),
    ...(username === '' && hasPassword
      ? [
          {
            option: 'username',
            message: 'There is a password, and nobody that it belongs to.',
            remedy: 'Enter the user, or leave the password empty to come as a guest.',
          },
        ]
      : []),
  ];
}

/**
 * A server that is gone must give an error in the end, or everybody who touches a file waits for ever (nfs(5): soft). The
 * second try of NFS takes twice as long as the first; without retry=0 mount.nfs itself would go on for two minutes.
 */
function nfsOptions(options: Options): string[] {
  const version = text(options, 'nfsVersion');
  const timeo = Math.max(10, Math.round((Number(options.waitSeconds) * 10) / 3));
  return [
    ...(version === 'auto' || version === '' ? [] : [`vers=${version}`]),
    ...['soft', `timeo=${timeo}`, 'retrans=1', 'retry=0'],
  ];
}

/** A dead server is noticed after two unanswered echoes. The password is in a file, and nowhere else (mount.cifs(8)). */
function smbOptions(options: Options, secretsPath: Json | undefined): string[] {
  const version = text(options, 'smbVersion');
  const username = text(options, 'username');
  const domain = text(options, 'domain');
  const echo = Math.max(1, Math.round(Number(options.waitSeconds) / 3));
  return [
    ...(version === 'auto' || version === '' ? [] : [`vers=${version}`]),
    ...(username === '' ? ['guest'] : [`username=${username}`]),
    ...(username === '' || domain === '' ? [] : [`domain=${domain}`]),
    ...(typeof secretsPath === 'string' ? [`credentials=${secretsPath}`] : []),
    ...['soft', `echo_interval=${echo}`],
  ];
}

/** @throws TypeError when the pool is not one of this plugin's */
export function partsOf(spec: Pick<PoolSpec, 'guid' | 'layout' | 'options' | 'facts'>): Parts {
  const { layout, options, facts } = spec;
  const server = text(options, 'server');
  const bad = problems({ layout, options, secrets: text(options, 'username') === '' ? [] : ['password'] });
  if ((layout !== 'nfs' && layout !== 'smb') || bad.length > 0)
    throw new TypeError(`pool ${spec.guid} is not a network share`);
  const readOnly = options.readOnly === true ? ['ro'] : [];
  const host = server.includes(':') ? `[${server}]` : server;
  if (layout === 'nfs')
    return {
      ...{ kind: layout, server, filesystem: 'nfs', port: 2049 },
      source: `${host}:${text(options, 'export')}`,
      options: [...readOnly, ...nfsOptions(options)],
    };
  return {
    ...{ kind: layout, server, filesystem: 'cifs', port: 445 },
    source: `//${server}/${text(options, 'share')}`,
    options: [...readOnly, ...smbOptions(options, facts?.secretsPath)],
  };
}

/** A share may be mounted at several places: each is a pool of its own. */
export const keyOf = (source: string, mountPath: string): string => `${source} at ${mountPath}`;
