/** The network links of the host: how they are asked for, and how somebody hears that they have changed. */
import type { HostLink } from '$lib/shared/wire/networks';
import { AppError } from '../errors';
import type { WatchedSource } from './events';
import { parseLinks } from './parse-links';
import { PROGRAMS } from './programs';
import type { CommandRunner } from './types';

/** A program and its arguments. `namespace`: path of another network than the one that this process is in. */
export const inNetwork = (
  namespace: string | null,
  program: string,
  argv: string[],
): { program: string; argv: string[] } =>
  namespace === null
    ? { program, argv }
    : { program: PROGRAMS.nsenter, argv: [`--net=${namespace}`, '--', program, ...argv] };

export const ipCommand = (namespace: string | null, ...argv: string[]): { program: string; argv: string[] } =>
  inNetwork(namespace, PROGRAMS.ip, argv);

/** A line for each change of a link or of an address, also by somebody else. */
export const linkWatch = (namespace: string | null): WatchedSource => ({
  ...ipCommand(namespace, 'monitor', 'link', 'address'),
  ...{ name: 'network', needs: PROGRAMS.ip, of: 'network' },
});

/** @throws AppError program_missing | command_failed | command_timeout | parse_failed */
export async function readLinks(
  commands: Pick<CommandRunner, 'read'>,
  namespace: string | null,
): Promise<HostLink[]> {
  const { program, argv } = ipCommand(namespace, '-json', '-details', 'address', 'show');
  const { stdout } = await commands.read(program, argv);
  try {
    return parseLinks(stdout);
  } catch (cause) {
    throw new AppError('parse_failed', 'What ip says of the network links cannot be read.', {
      details: { tool: 'ip', output: stdout.slice(0, 1_000) },
      cause,
    });
  }
}
