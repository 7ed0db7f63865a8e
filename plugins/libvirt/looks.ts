/** What is there now of a machine: its domain, its disk, its seed. They change nothing. */
import { posix } from 'node:path';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type {
  Json,
  JsonObject,
  LookResult,
  LookStatus,
  PluginContext,
  VmReading,
} from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { SizeField } from './parse-size';
import { PARTS, partText, restHash } from './definition';
import {
  activeNetworks,
  readDefinition,
  readDevices,
  readSize,
  readStates,
  WHERE,
  type Where,
} from './virsh';
import { diskQuestion, parseDiskSize, QEMU_IMG, readDiskSize } from './qemu-img';

const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });
const text = (value: Json | undefined): string => {
  if (typeof value !== 'string') throw new TypeError('an argument of a look is no text');
  return value;
};

const whereOf = (args: JsonObject): Where => {
  const where = WHERE.find((one) => one === args['where']);
  if (!where) throw new TypeError('a look does not say where');
  return where;
};

/** Whoever began it may be gone: libvirt brings it to its end. */
const turning = ({ name }: VmReading): LookResult =>
  seen('running', `libvirt saves the memory of "${name}", or brings it back.`);
const isOff = ({ status }: VmReading): boolean =>
  status === 'stopped' || status === 'saved' || status === 'crashed';

/** Where the first volume descriptor of an ISO 9660 filesystem says what it is (ECMA-119, 8.1). */
const ISO_MAGIC = { offset: 32_769, bytes: Buffer.from('CD001') };

function isIso(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const found = Buffer.alloc(ISO_MAGIC.bytes.length);
    return readSync(file, found, 0, found.length, ISO_MAGIC.offset) > 0 && found.equals(ISO_MAGIC.bytes);
  } finally {
    closeSync(file);
  }
}

/** What was copied or renamed has its name after a power cut too, before anything counts on it: neither dd nor mv sees to that. */
function nameIsKept(path: string): void {
  const folder = openSync(posix.dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function looksOf(sdk: PluginSdk) {
  const domains = readStates(sdk);
  const domainSize = readSize(sdk);
  const find = async (context: PluginContext, id: string) =>
    (await domains(context)).find((domain) => domain.id === id) ?? null;
  const diskSize = readDiskSize(sdk);
  const devices = readDevices(sdk);
  const parseInfo = sdk.defineParser('qemu-img info', parseDiskSize);

  return {
    async running(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const domain = await find(context, text(args['id']));
      if (!domain) return seen('absent', 'libvirt does not know the machine.');
      if (domain.turns) return turning(domain);
      return isOff(domain)
        ? seen('absent', `The machine "${domain.name}" is off.`)
        : seen('done', `The machine "${domain.name}" is ${domain.status}.`);
    },
    /** done: it is in this very status. */
    async status(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const domain = await find(context, text(args['id']));
      if (!domain) return seen('absent', 'libvirt does not know the machine.');
      if (domain.turns) return turning(domain);
      return seen(
        domain.status === args['is'] ? 'done' : 'absent',
        `The machine "${domain.name}" is ${domain.status}.`,
      );
    },
    /** foreign: neither what the step makes of it nor what it was. */
    async size(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const size = await domainSize(context, text(args['id']));
      const field = text(args['field']) as SizeField;
      const status = size[field] === args['is'] ? 'done' : size[field] === args['was'] ? 'absent' : 'foreign';
      return seen(status, `${field} is ${size[field]}.`);
    },
    /** One part of its definition. foreign: it is neither what the step makes of it nor what it was, or the rest is another one. */
    async definition(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const part = PARTS.find((one) => one === args['part']);
      if (!part) throw new TypeError('a look does not say at which part');
      const parse = sdk.defineParser('virsh dumpxml', (xml) => sdk.parseXml(xml));
      const domain = parse(await readDefinition(context, text(args['id'])));
      const now = partText(sdk, part, domain);
      const evidence = `Its definition has ${part}: ${now || 'none'}.`;
      if (now === args['is']) return seen('done', evidence);
      return now === args['was'] && restHash(sdk, part, domain) === args['rest']
        ? seen('absent', evidence)
        : seen('foreign', `${evidence} It was changed since.`);
    },
    /** done: it is off, or the time of this wait is over; `endMs` is when it is switched off. */
    async 'shut-down'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const domain = await find(context, text(args['id']));
      if (!domain || isOff(domain)) return seen('done', 'The machine is off.');
      const now = Date.now();
      const left = Math.ceil((Number(args['endMs']) - now) / 1_000);
      if (now < Number(args['untilMs']))
        return seen('running', `The machine was asked to shut down and has ${left} s left for it.`);
      return seen(
        'done',
        left > 0
          ? `The machine has not shut down yet and has ${left} s left for it.`
          : 'The machine did not shut down in the time that it had.',
      );
    },
    /** foreign: another machine has the name. */
    async defined(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const id = text(args['id']);
      const all = await domains(context);
      if (all.some((domain) => domain.id === id)) return seen('done', 'libvirt knows the machine.');
      const other = all.find((domain) => domain.name === args['name']);
      return other
        ? seen('foreign', `Another machine of libvirt is called "${other.name}" (${other.id}).`)
        : seen('absent', 'libvirt does not know the machine.');
    },
    async network(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const name = text(args['name']);
      return (await activeNetworks(context)).includes(name)
        ? seen('done', `The network "${name}" is up.`)
        : seen('absent', `The network "${name}" is not up.`);
    },
    /** A qcow2 file of this size, or of any with null. */
    async volume(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const path = text(args['path']);
      if (!existsSync(path)) return seen('absent', `There is no ${path}.`);
      const { stdout, exitCode, stderr } = await context.read(QEMU_IMG, diskQuestion(path), {
        okExitCodes: [0, 1],
      });
      if (exitCode !== 0) return seen('partial', `${path} is no whole disk: ${stderr.trim()}`);
      const size = parseInfo(stdout);
      const { sizeBytes } = args;
      return sizeBytes === null || size === sizeBytes
        ? seen('done', `${path} is a disk of ${size} bytes.`)
        : seen('partial', `${path} is a disk of ${size} bytes.`);
    },
    /** foreign: it is larger than the step makes it, and nothing makes a disk smaller. */
    async 'disk-size'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const path = text(args['path']);
      const size = await diskSize(context, { path });
      const wanted = Number(args['is']);
      const status = size === wanted ? 'done' : size < wanted ? 'absent' : 'foreign';
      return seen(status, `${path} is a disk of ${size} bytes.`);
    },
    /** It has this file as this disk. foreign: it has another one there, or the file elsewhere. */
    async disk(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const [target, path] = [text(args['target']), text(args['path'])];
      const { disks } = await devices(context, text(args['id']), whereOf(args));
      const found = disks.filter((disk) => disk.target === target || disk.path === path);
      const [first] = found;
      if (!first) return seen('absent', `The machine does not have ${path}.`);
      return found.length === 1 && first.target === target && first.path === path
        ? seen('done', `The machine has ${path} as ${target}.`)
        : seen('foreign', `The machine has ${first.path ?? 'an empty drive'} as ${first.target}.`);
    },
    async card(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const mac = text(args['mac']);
      const { macs } = await devices(context, text(args['id']), whereOf(args));
      return macs.includes(mac)
        ? seen('done', `The machine has the network card ${mac}.`)
        : seen('absent', `The machine does not have the network card ${mac}.`);
    },
    /** The card is plugged in here; null: into the network of libvirt. foreign: neither here nor where it `was`. */
    async 'card-at'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const mac = text(args['mac']);
      const { cards } = await devices(context, text(args['id']), whereOf(args));
      const card = cards.find((one) => one.mac === mac);
      if (!card) return seen('foreign', `The machine does not have the network card ${mac}.`);
      const evidence = `The network card ${mac} is in ${card.bridge ?? 'the network of libvirt'}.`;
      if (card.bridge === args['is']) return seen('done', evidence);
      return seen(card.bridge === args['was'] ? 'absent' : 'foreign', evidence);
    },
    /** Its drive for CDs has this in it; `was`: what was there before; null: nothing. */
    async cd(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const { disks } = await devices(context, text(args['id']), whereOf(args));
      const drive = disks.find(({ target }) => target === args['target']);
      if (!drive?.isCd) return seen('foreign', 'The machine has no drive for CDs there.');
      const evidence = drive.path === null ? 'The drive is empty.' : `${drive.path} is in the drive.`;
      if (drive.path === args['is']) return seen('done', evidence);
      return seen(drive.path === args['was'] ? 'absent' : 'foreign', evidence);
    },
    async 'cd-drive'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const { disks } = await devices(context, text(args['id']), 'config');
      const drive = disks.find(({ target }) => target === args['target']);
      if (!drive) return seen('absent', 'The machine has no drive for CDs.');
      return drive.isCd
        ? seen('done', 'The machine has a drive for CDs.')
        : seen('foreign', `The machine has ${drive.path ?? 'a disk'} as ${drive.target}.`);
    },
    /** Its guest is asked to let go of a disk or a card, and cannot be made to. */
    async 'let-go'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const { disks, macs } = await devices(context, text(args['id']), 'on');
      const hasIt =
        disks.some(({ path }) => path === args['path']) || macs.some((mac) => mac === args['mac']);
      if (!hasIt) return seen('done', 'No guest has it now.');
      return Date.now() < Number(args['untilMs'])
        ? seen('running', 'The guest was asked to let go of it.')
        : seen('absent', 'The guest has not let go of it. Shut the machine down, then try again.');
    },
    /** Whether nobody may write to a disk, whoever asks. */
    async 'disk-mode'(_context: PluginContext, args: JsonObject): Promise<LookResult> {
      const path = text(args['path']);
      const readOnly = (statSync(path).mode & 0o222) === 0;
      return seen(
        readOnly === args['readOnly'] ? 'done' : 'absent',
        `${path} can ${readOnly ? 'only be read' : 'be written to'}.`,
      );
    },
    /** A whole copy of another file. */
    async 'same-file'(_context: PluginContext, args: JsonObject): Promise<LookResult> {
      const [path, as] = [text(args['path']), text(args['as'])];
      if (!existsSync(path)) return seen('absent', `There is no ${path}.`);
      if (!readFileSync(path).equals(readFileSync(as)))
        return seen('partial', `${path} is no whole copy of ${as}.`);
      nameIsKept(path);
      return seen('done', `${path} is a copy of ${as}.`);
    },
    /** A copy has taken the place of a file. foreign: there is no copy, and another file in its place. */
    async 'put-back'(_context: PluginContext, args: JsonObject): Promise<LookResult> {
      const [path, from, as] = [text(args['path']), text(args['from']), text(args['as'])];
      if (existsSync(from)) return seen('absent', `${from} is still beside ${path}.`);
      if (!existsSync(path) || !readFileSync(path).equals(readFileSync(as)))
        return seen('foreign', `${path} is not as ${as}, and no copy of that is beside it.`);
      nameIsKept(path);
      return seen('done', `${path} is as ${as}.`);
    },
    async seed(_context: PluginContext, args: JsonObject): Promise<LookResult> {
      const path = text(args['path']);
      if (!existsSync(path)) return seen('absent', `There is no ${path}.`);
      return isIso(path)
        ? seen('done', `${path} is a CD image.`)
        : seen('partial', `${path} is only a piece of a CD image.`);
    },
  };
}
