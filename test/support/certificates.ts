/** Keys and certificates as people have them: made by openssl, by an authority of one's own, expired, for other hosts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Made {
  key: string;
  certificate: string;
}

export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cairn-authority-'));
  readonly certificate: string;

  constructor(name = 'Home authority') {
    this.#openssl(
      ...[
        'req',
        '-x509',
        '-new',
        '-config',
        '/dev/null',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
      ],
      ...['-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', `/CN=${name}`],
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
    );
    this.certificate = this.#read('ca.pem');
  }
  #openssl(...argv: string[]): void {
    execFileSync('/usr/bin/openssl', argv, { cwd: this.#folder, stdio: 'pipe' });
  }
  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
  /** @param days until it ends; below zero it has ended */
  issue(names: string[], { days = 20, newKey = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] } = {}): Made {
    const alternatives = names.map((name) => `DNS:${name}`).join(',');
    this.#openssl(
      ...['req', '-new', '-config', '/dev/null', '-newkey', ...newKey, '-nodes', '-keyout', 'key.pem'],
      ...['-out', 'request.pem', '-subj', `/CN=${names[0] ?? 'nameless'}`],
      ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${alternatives}`]),
    );
    this.#openssl(
      ...[
        'x509',
        '-req',
        '-in',
        'request.pem',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-copy_extensions',
        'copy',
      ],
      ...['-days', String(days), '-out', 'certificate.pem'],
    );
    return { key: this.#read('key.pem'), certificate: this.#read('certificate.pem') };
  }
  /** The same key behind a passphrase. */
  locked(): string {
    this.#openssl('pkey', '-in', 'key.pem', '-aes128', '-passout', 'pass:secret', '-out', 'locked.pem');
    return this.#read('locked.pem');
  }
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
