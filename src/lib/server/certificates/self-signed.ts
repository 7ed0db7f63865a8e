/** A key of our own and a certificate that it signs itself, by openssl-req(1). The key never lies in a file on the way. */
import { isIP } from 'node:net';
import { AppError } from '../errors';
import { PROGRAMS } from '../host/programs';
import type { CommandRunner } from '../host/types';
import { judgePair, type Pair } from './pair';

/** Apple's devices take no server certificate that is valid for more than 825 days, whoever trusts it. */
const DAYS = 820;
/** X.520: a common name has 64 characters at most. */
const MOST_NAME = 64;

/** @param names host names and addresses, see host-names.ts; the first one is its common name */
export async function makeSelfSigned(commands: Pick<CommandRunner, 'read'>, names: string[]): Promise<Pair> {
  const alternatives = names.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');
  const extensions = [
    `subjectAltName=${alternatives}`,
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
  ];
  const { stdout } = await commands.read(PROGRAMS.openssl, [
    // The host's own configuration may ask for other extensions.
    ...['req', '-x509', '-config', '/dev/null', '-sha256', '-nodes', '-keyout', '-'],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-days', String(DAYS), '-subj', `/O=Cairn/CN=${(names[0] ?? 'cairn').slice(0, MOST_NAME)}`],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ]);
  const { pair, issues } = judgePair({ key: stdout, chain: stdout }, null);
  if (!pair)
    throw new AppError(
      'parse_failed',
      `openssl made no pair: ${issues.map(({ message }) => message).join(' ')}`,
    );
  return pair;
}
