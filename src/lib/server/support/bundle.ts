/**
 * What somebody who helps needs to know of this host, as one archive. It is made of what pages show, not of the database: a column
 * that is added tomorrow is not in it. And every text goes through the scrubber, which also knows the secrets that are kept here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Db } from '../db/client';
import { toAppError } from '../errors';
import { PROGRAMS } from '../host/programs';
import type { Host } from '../host/types';
import type { Services } from '../services';
import { scrubbedJson, scrubber } from './scrub';
import { secretsInFiles } from './secret-files';
import { secretsOf } from './store';

export interface Support {
  /** The archive, gzip of tar, as it is made. */
  bundle(): Promise<{ name: string; stream: NodeJS.ReadableStream }>;
}
type Deps = { db: Db; host: Pick<Host, 'commands'> } & Pick<
  Services,
  'boots' | 'clock' | 'config' | 'doctor' | 'feed' | 'operations' | 'validate' | 'version'
>;

const OPERATIONS = 200;
const WITH_OUTPUT = 50;
const LINES = 500;
const TOOLS: [name: string, program: string, argv: string[]][] = [
  ['losetup', PROGRAMS.losetup, ['--list']],
  ['btrfs', PROGRAMS.btrfs, ['filesystem', 'show']],
  ['ip', PROGRAMS.ip, ['address']],
  ['partitions', PROGRAMS.blkid, []],
];
const FILES = [
  '/etc/os-release',
  '/proc/mounts',
  '/proc/mdstat',
  '/proc/meminfo',
  '/proc/partitions',
  '/proc/modules',
  '/proc/loadavg',
];

export function createSupport({
  db,
  host,
  boots,
  clock,
  config,
  doctor,
  feed,
  operations,
  validate,
  version,
}: Deps): Support {
  async function tool(program: string, argv: string[]): Promise<string> {
    try {
      const { stdout, stderr } = await host.commands.read(program, argv, { timeoutMs: 10_000 });
      return stdout + stderr;
    } catch (error) {
      return toAppError(error).message;
    }
  }
  return {
    async bundle() {
      const scrub = scrubber([...secretsOf(db), ...secretsInFiles(config)]);
      const name = `cairn-support-${new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[:T]/g, '-')}`;
      const archive = pack();
      const write = (file: string, text: string): void => {
        archive.entry({ name: `${name}/${file}`, mode: 0o600, mtime: new Date(clock.now()) }, text);
      };
      const add = (file: string, text: string): void => write(file, scrub(text));
      const addJson = (file: string, value: unknown): void => write(file, `${scrubbedJson(value, scrub)}\n`);
      const { items } = operations.page({ limit: OPERATIONS });
      addJson('about.json', {
        version,
        node: process.version,
        kernel: release(),
        at: clock.now(),
        architecture: process.arch,
      });
      addJson('settings.json', config);
      addJson('doctor.json', await doctor.check());
      addJson('validation.json', await validate.check());
      addJson('documents.json', feed.snapshot().snapshot);
      addJson('boots.json', boots.page({ limit: 50 }).items);
      addJson('operations.json', items);
      for (const { id } of items.slice(0, WITH_OUTPUT)) {
        const commands = operations
          .commands(id)
          .map((command) => ({ ...command, lines: command.lines.slice(-LINES) }));
        addJson(`output/${id}.json`, commands);
      }
      for (const path of FILES.filter((file) => existsSync(file)))
        add(`host${path}`, readFileSync(path, 'utf8'));
      for (const [file, program, argv] of TOOLS) add(`tools/${file}.txt`, await tool(program, argv));
      if (existsSync('/run/systemd/system'))
        add(
          'log.txt',
          await tool(PROGRAMS.journalctl, [
            '--unit=cairn.service',
            '--lines=5000',
            '--no-pager',
            '--output=short-iso',
          ]),
        );
      archive.finalize();
      return { name: `${name}.tar.gz`, stream: archive.pipe(createGzip()) };
    },
  };
}
