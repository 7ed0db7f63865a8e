/**
 * The certificate by which pages and API are served: made at the first start, renewed while it is Cairn's own, replaced by an
 * administrator; taken in use without a restart. Whatever happens to its files, there is always one to serve.
 */
import { networkInterfaces } from 'node:os';
import type { CertificateCheck, CertificateRequest, CertificateView } from '$lib/shared/wire/certificates';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import type { Config } from '../config';
import { AppError, issuesError } from '../errors';
import type { Bus } from '../events/bus';
import type { CommandRunner } from '../host/types';
import type { Logger } from '../log';
import type { Operations } from '../operations/types';
import { createCertificateFiles, type Kept } from './files';
import { namesToCertify, namesToReach } from './host-names';
import { CERTIFICATE_LOCK, defineCertificateOperations, REPLACE } from './operations';
import { certificatesOf, judgePair, namesOf, viewOf, type Pair } from './pair';
import { makeSelfSigned } from './self-signed';

const CAIRN: Actor = { kind: 'system', id: 'cairn', name: 'cairn', role: 'admin', sessionId: null };
const DAY_MS = 86_400_000;
/** Before its end one of our own is made anew. */
export const RENEW_MS = 30 * DAY_MS;

export interface Certificate {
  /** null: pages are served by plain HTTP. */
  view(): CertificateView | null;
  /** What to serve now. @throws AppError certificate_not_served */
  pair(): Pair;
  /** Names that the certificate in use gives this host, which a browser may then use. */
  names(): string[];
  /** Told of each pair that is taken in use from now on. */
  onUse(listener: (pair: Pair) => void): void;
  check(request: CertificateRequest): CertificateCheck;
  /** @throws AppError certificate_not_served, or all that is wrong with the certificate */
  replace(request: CertificateRequest, actor: Actor): Promise<Operation>;
  /** A new one of our own, with the names that the host has now. */
  makeOwn(actor: Actor): Promise<Operation>;
  /** Daily: renews what ends soon, and forgets keys that nobody needs. */
  tend(): Promise<void>;
}

export interface CertificateParts {
  config: Pick<Config, 'tls' | 'tlsDir' | 'hostname'>;
  commands: Pick<CommandRunner, 'read'>;
  operations: Operations;
  bus: Bus;
  clock: Clock;
  log: Logger;
}

const notServed = (): AppError => new AppError('certificate_not_served');

/** Where no TLS is spoken nothing is kept, and nothing can be replaced. */
const withoutTls: Certificate = {
  view: () => null,
  pair() {
    throw notServed();
  },
  names: () => [],
  onUse() {},
  check() {
    throw notServed();
  },
  replace: () => Promise.reject(notServed()),
  makeOwn: () => Promise.reject(notServed()),
  tend: () => Promise.resolve(),
};

const namesOfPair = ({ chain }: Pair): string[] => certificatesOf(chain).slice(0, 1).flatMap(namesOf);

export async function createCertificate(parts: CertificateParts): Promise<Certificate> {
  const { config, commands, operations, bus, clock, log } = parts;
  if (!config.tls) return withoutTls;
  const files = createCertificateFiles(config.tlsDir);
  const listeners: ((pair: Pair) => void)[] = [];

  const makePair = async (): Promise<string> =>
    files.keep('own', await makeSelfSigned(commands, namesToCertify(config.hostname, networkInterfaces())));

  /** The one in use; where there is none, or none that can be read, one of our own is made. */
  async function ensure(): Promise<Kept> {
    const name = files.inUse();
    if (name !== null)
      try {
        return files.read(name);
      } catch (error) {
        log.error({ error, name }, 'the certificate cannot be used; one of our own takes its place');
      }
    const own = await makePair();
    await files.use(own);
    return files.read(own);
  }
  let kept = await ensure();
  // Asked with every request.
  let names = namesOfPair(kept.pair);

  /** Reads again which one is in use, and serves it. */
  function use(): void {
    const name = files.inUse();
    if (name === null || name === kept.name) return;
    kept = files.read(name);
    names = namesOfPair(kept.pair);
    for (const listener of listeners) listener(kept.pair);
    log.info({ fingerprint: view().fingerprint, kind: kept.kind }, 'another certificate is in use');
    bus.emit('certificate.changed', {});
  }
  const view = (of: Kept = kept): CertificateView =>
    viewOf(of.pair, of.kind, namesToReach(config.hostname, networkInterfaces()));

  defineCertificateOperations({ operations, files, config, use });

  /** What was sent goes into its file first; who asks for nothing with it leaves nothing behind. */
  async function start(name: string, actor: Actor): Promise<Operation> {
    try {
      return await operations.start({ kind: REPLACE, request: { name }, actor });
    } catch (error) {
      if (name !== files.inUse()) files.drop(name);
      throw error;
    }
  }
  const certificate: Certificate = {
    view,
    pair: () => kept.pair,
    names: () => names,
    onUse: (listener) => void listeners.push(listener),
    check(request) {
      const { pair, issues } = judgePair(request, clock.now());
      return pair ? { ok: true, view: view({ name: '', kind: 'given', pair }) } : { ok: false, issues };
    },
    async replace(request, actor) {
      const { pair, issues } = judgePair(request, clock.now());
      if (!pair) throw issuesError(issues);
      return start(await files.keep('given', pair), actor);
    },
    makeOwn: async (actor) => start(await makePair(), actor),
    async tend() {
      if (operations.holder(CERTIFICATE_LOCK) === null) files.sweep((name) => name === files.inUse());
      if (kept.kind === 'own' && view().notAfter - clock.now() < RENEW_MS) await certificate.makeOwn(CAIRN);
      bus.emit('certificate.changed', {});
    },
  };
  return certificate;
}
