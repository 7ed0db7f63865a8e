/**
 * Whether this version can run on this host, asked by the version that it is to replace: check.mjs RUNNING NOTE TEXT. It loads what was
 * compiled for a machine, and looks for what install.sh alone can change. When all is well it writes TEXT into the file NOTE.
 * Plain JavaScript, as setup.mjs.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** @throws Error that says what to do */
function refuse(/** @type {string} */ why) {
  throw new Error(`${why} Install this version by its install.sh, once.`);
}

function checkUnits(/** @type {string} */ running) {
  const of = (/** @type {string} */ folder) =>
    readdirSync(join(folder, 'systemd'))
      .sort()
      .map((name) => [name, readFileSync(join(folder, 'systemd', name), 'utf8')]);
  if (JSON.stringify(of(root)) !== JSON.stringify(of(running)))
    refuse('It is started by the system in another way than the version that runs.');
}

function checkPrograms() {
  const isThere = (/** @type {string} */ program) =>
    program.startsWith('/')
      ? existsSync(program)
      : FOLDERS.some((folder) => existsSync(join(folder, program)));
  const missing = readFileSync(join(root, 'host-packages.txt'), 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([need, program = '', name]) => (need === 'required' && !isThere(program) ? [name] : []));
  if (missing.length > 0) refuse(`It needs packages that are not installed: ${missing.join(', ')}.`);
}

function checkItself() {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const db = new Database(':memory:');
  db.prepare('SELECT 1').get();
  db.close();
  for (const path of ['build/handler.js', 'drizzle/meta/_journal.json', 'src/main.ts'])
    if (!existsSync(join(root, path))) throw new Error(`${path} is missing in it.`);
}

try {
  const [running = '', note = '', text = ''] = process.argv.slice(2);
  checkItself();
  checkUnits(running);
  checkPrograms();
  writeFileSync(note, text, { mode: 0o644, flush: true });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
