/** Taking another certificate in use, as an operation: one name is written, and the servers take it up. */
import { z } from 'zod';
import { looks, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Config } from '../config';
import { AppError } from '../errors';
import type { Operations, Prepared } from '../operations/types';
import { inUseText, type CertificateFiles } from './files';
import { certificatesOf } from './pair';

export const REPLACE = 'certificate.replace';
export const CERTIFICATE_LOCK = 'certificate';
const MINUTE_MS = 60_000;

const request = z.object({ name: z.string().max(100) });

interface Deps {
  operations: Operations;
  files: CertificateFiles;
  config: Pick<Config, 'hostname'>;
  /** Serves what is in use now. */
  use(): void;
}

function prepare({ files, config }: Deps, raw: JsonObject): Prepared {
  const { name } = request.parse(raw);
  const { pair, kind } = files.read(name);
  const before = files.inUse();
  if (name === before) throw new AppError('certificate_in_use');
  const [own] = certificatesOf(pair.chain);
  const step: Step = {
    name: 'take-in-use',
    title: 'Serve pages and API with it from now on',
    run: { do: 'write-file', path: files.inUsePath, content: inUseText(name), mode: 0o600 },
    undo:
      before === null
        ? [{ do: 'remove-file', path: files.inUsePath }]
        : [{ do: 'write-file', path: files.inUsePath, content: inUseText(before), mode: 0o600 }],
    look: looks.file(files.inUsePath, inUseText(name), before === null ? undefined : inUseText(before)),
  };
  return {
    input: { name },
    title: kind === 'own' ? 'Make a new certificate' : 'Replace the certificate',
    subject: { type: 'host', id: 'certificate', label: config.hostname },
    steps: [step],
    locks: [CERTIFICATE_LOCK],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      `Its fingerprint (SHA-256) is ${own?.fingerprint256 ?? 'unknown'}.`,
      'Connections that are open stay; who connects from now on is shown it.',
    ],
  };
}

/** The file that names it is the record; keys that nobody needs any more are forgotten by the daily look. */
export function defineCertificateOperations(deps: Deps): void {
  deps.operations.define({
    ...{ kind: REPLACE, onInterrupt: 'take-back', deadlineMs: MINUTE_MS },
    prepare: async (raw) => prepare(deps, raw),
    record: { begin() {}, succeed() {}, takenBack() {}, needsYou() {} },
    beforeEnd: async () => deps.use(),
  });
}
