/** The contract of a VM plugin, version 1: an engine that runs virtual machines. A method is a capability, as with storage. */
import type { VmReading } from './vm-reading';
import type { JsonObject } from '../shared/json';
import type { LookResult, Step } from './plan';
import type { ConsoleEndpoint, ConsoleKind } from './vm-console';
import type { VmAdoptedDisk, VmFound } from './vm-found';
import type { VmAddresses, VmUsage } from './vm-usage';
import type { Availability, PluginContext, Watch } from './storage';
import type { VmFirmwareSource, VmPackedDisk, VmHas, VmTopology } from './vm-extras';
import type { VmStopTime } from './vm-stop-time';
import type { VmSnapshot, VmSnapshotsReading } from './vm-snapshots';

export * from './vm-reading';
export type { VmSnapshot, VmSnapshotsReading } from './vm-snapshots';

export type { ConsoleEndpoint, ConsoleKind, VmAddresses, VmUsage };
export { CONSOLE_KINDS } from './vm-console';

/** kvm: the processor runs the guest. qemu: every instruction is emulated, which is ten to fifty times slower. */
export type VirtType = 'kvm' | 'qemu';
export type Acceleration = { virtType: 'kvm' } | { virtType: 'qemu'; reason: string };

/** A machine as it was asked for, complete: everything random or read is in here before a plan is made. */
export interface VmSpec extends VmHas {
  /** UUID; the machine is known to its engine by it, whatever it is called. */
  id: string;
  name: string;
  cpus: number;
  memoryBytes: number;
  /** How its CPUs are arranged; without this each of them is a socket of its own. */
  topology?: VmTopology;
  virtType: VirtType;
  /** Folder of its own, on a pool. Its files are in there, and the folder above holds machines only. */
  folder: string;
  diskPath: string;
  diskBytes: number;
  /** Disks that were added, by slot; one that was made before there were any has none. */
  moreDisks?: VmDisk[];
  /** Its network cards, by slot; a machine without this has the one in slot 1. */
  cards?: VmCard[];
  /** CD with the seed for cloud-init, in its folder; null: it gets none. */
  seedPath: string | null;
  /** Its seed has a network configuration, which gives it these addresses, with the lengths of their networks. */
  seedNetwork?: { addresses: string[] };
  /** CD in its drive, which belongs to somebody else, an installer say; never written to or removed. null: it is empty. */
  cdPath: string | null;
  /** Of `bootDevicesOf`, what it looks for a system in, in this order; without this its first disk, then the CD. */
  boot?: string[];
  /** The engine's own user cannot reach the folder: the guest's process runs as root. For sandboxes only. */
  asRoot: boolean;
  /** It is never started: others lie above its disks. */
  isTemplate?: true;
  /** Id of the template whose disk its own lies above. */
  basedOn?: string;
  /**
   * Cairn did not make it: it runs it, and leaves its disks and its definition as they are. It has no folder of its own, so
   * `folder` and `diskPath` are empty, and `diskBytes` is 0.
   */
  adopted?: {
    disks: VmAdoptedDisk[];
    /** Absolute paths of what is in its drives, and below its disks. */
    needs: string[];
  };
}

/** One of its disks. */
export interface VmDisk {
  /** From 1 on; 1 is the one that it was made with. */
  slot: number;
  /** Absolute, in the machine's folder. */
  path: string;
  sizeBytes: number;
}
/** All of its disks that Cairn has made, the first one first. */
export const disksOf = ({ adopted, diskPath, diskBytes, moreDisks = [] }: VmSpec): VmDisk[] =>
  adopted ? [] : [{ slot: 1, path: diskPath, sizeBytes: diskBytes }, ...moreDisks];

export interface VmCard {
  /** From 1 on; 1 is the one that it was made with. */
  slot: number;
  /** Lower case, with colons. */
  mac: string;
  /** Name of the host's bridge that it is plugged into; without it, the network that the engine has for machines. */
  bridge?: string;
}

/** Paths; null: it is empty. */
export interface VmCdDrive {
  /** Whenever it is started. */
  config: string | null;
  /** Now; the same of one that is off. */
  now: string | null;
}

export type VmSize = Pick<VmSpec, 'cpus' | 'memoryBytes'>;
/** null: each CPU is a socket of its own. */
export type VmShape = VmSize & { topology: VmTopology | null };

/** What a volume is to have in it from the beginning; it is in `moreDisks`. */
export interface VmFormat {
  slot: number;
  type: 'ext4' | 'xfs';
  label: string;
  uuid: string;
}
/** What its engine may put back besides CPUs and memory. `topology` null: each CPU is a socket of its own. */
export type VmMade = Required<Pick<VmSpec, 'cards' | 'cdPath' | 'boot'>> & Pick<VmShape, 'topology'>;

/** What only its creation needs. */
export interface VmOrigin {
  /** What its disk begins as; null: an empty disk. overlay: only what changes is kept in its own file. */
  image: { path: string; format: 'qcow2' | 'raw'; how: 'overlay' | 'copy' } | VmPackedDisk | null;
  /** Of its volumes those that begin as disks of the same package. */
  packed?: (VmPackedDisk & { slot: number })[];
  /** What its UEFI remembers from the beginning, a file; without this nothing. */
  nvramFrom?: string;
  /** Of its volumes those that are not empty. */
  formats?: VmFormat[];
  /** Files of a NoCloud seed; `secretPath` is a file that is complete and readable by root only, and never shown. */
  seed: {
    userData: string;
    metaData: string;
    /** null: the guest finds its network by itself. */
    networkConfig: string | null;
    secretPath: string | null;
  } | null;
}

export interface VmPlugin {
  api: 1;
  kind: 'vm';
  /** kebab-case; also the folder's name. */
  id: string;
  name: string;
  version: string;
  description: string;
  /** Absolute paths of every program it runs, in steps or for reading. Nothing else can be run. */
  programs: string[];
  /** Are the programs here? Changes nothing. */
  check(context: PluginContext): Promise<Availability>;
  /** Found out by a trial: that a device is there says little. */
  acceleration(context: PluginContext): Promise<Acceleration>;
  /** UEFI and TPMs; without this every machine starts by BIOS. */
  firmware?: VmFirmwareSource;
  /** Pure. Steps from nothing to a machine that the engine knows and that is off. */
  create(spec: VmSpec, origin: VmOrigin): Step[];
  /** Pure. Steps from a machine that is off to nothing; `keepFolder` when somebody else has files in it. */
  destroy(spec: VmSpec, options: { keepFolder: boolean }): Step[];
  /** A machine that is off goes with its files kept, and comes back as it was. Plans are pure, and get the facts of the reading. */
  shelve?: {
    /** All that only the engine knows of it. It knows the machine. */
    read(context: PluginContext, spec: VmSpec): Promise<JsonObject>;
    /** The engine knows it no more; its files stay as they are. `facts` null: it has forgotten it already. */
    forget(spec: VmSpec, facts: JsonObject | null): Step[];
    /** It is known again, and off: its files are where they were. */
    recall(spec: VmSpec, facts: JsonObject | null): Step[];
  };
  /** Pure. Also of a machine that the engine has forgotten. */
  start(spec: VmSpec): Step[];
  /** Pure. It is asked to shut down, and switched off, or saved (see `memory`), when its time is over; null: at once. */
  stop(spec: VmSpec, time: VmStopTime | null, otherwise?: 'switch-off' | 'save'): Step[];
  /** Pure. As the button on its front. */
  reset?(spec: VmSpec): Step[];
  /** Pure. A machine that runs stands still and keeps its memory; `resume` lets it go on. */
  pause?(spec: VmSpec): Step[];
  resume?(spec: VmSpec): Step[];
  /** A machine that is on goes off, and its memory is kept. All plans are pure. */
  memory?: {
    /** Folder that the memory is written to; there has to be room for it. */
    folder: string;
    save(spec: VmSpec): Step[];
    /** It goes on from where it was; taken back, it is saved again. */
    restore(spec: VmSpec): Step[];
    /** What was saved is deleted, and the machine is simply off. */
    discard(spec: VmSpec): Step[];
  };
  /** What a machine has that is off. */
  resize?: {
    /** What its plan needs to know and only the engine does. */
    facts(context: PluginContext, spec: VmSpec): Promise<JsonObject>;
    /** Pure. Why its CPUs cannot be arranged otherwise than they are; null: they can. Without this none can. */
    topologyWhy?(facts: JsonObject): string | null;
    /** Pure. Whatever else its engine keeps of the machine stays as it is. */
    plan(spec: VmSpec, to: VmShape, facts: JsonObject): Step[];
  };
  /**
   * Why another machine cannot be made from the one file in `diskPath`, or from `all` disks that the record has; null: there
   * is all that it has on disks. Without this no machine can be cloned or exported.
   */
  cloneWhy?(context: PluginContext, spec: VmSpec, which?: 'first' | 'all'): Promise<string | null>;
  /** One that is off becomes what others lie above: nothing can write to its disks. Plans are pure, and each is the undo of the other. */
  template?: {
    make(spec: VmSpec): Step[];
    unmake(spec: VmSpec): Step[];
  };
  /** Machines that somebody else has made are taken over as they are, and given up again. Plans are pure. */
  adopt?: {
    /** Of those of these machines that the engine knows; in any order. */
    read(context: PluginContext, ids: string[]): Promise<VmFound[]>;
    /** A note in what the engine keeps of it says so from now on; nothing else of the machine changes, on or off. */
    keep(spec: VmSpec): Step[];
    /** The note is taken away, also of one that has none or that the engine has forgotten. */
    giveUp(spec: VmSpec): Step[];
  };
  /** All of it as one, whatever its disks and its memory are. Plans are pure, and get the facts of the reading. */
  snapshots?: {
    /** Pure. Absolute; something changes in one of them whenever a snapshot is taken or deleted. They need not be there yet. */
    folders(spec: VmSpec): string[];
    read(context: PluginContext, spec: VmSpec): Promise<VmSnapshotsReading>;
    /** With its memory when it is on. */
    take(spec: VmSpec, wanted: { name: string; description: string | null }, facts: JsonObject): Step[];
    /** Pure. What the machine is made of once it is restored; without this as it is now. */
    madeOf?(spec: VmSpec, snapshot: VmSnapshot, facts: JsonObject): VmMade;
    /** Whatever has happened to the machine since is lost. */
    restore(spec: VmSpec, snapshot: VmSnapshot, facts: JsonObject): Step[];
    /** The machine, and all other snapshots, stay as they are. */
    delete(spec: VmSpec, snapshot: VmSnapshot): Step[];
  };
  disks?: {
    /** How large a disk is now, bytes: somebody may have changed it in a shell. */
    sizeOf(context: PluginContext, disk: VmDisk): Promise<number>;
    /** Pure. Never smaller than it is. `isOn`: its guest sees the new size at once. */
    grow(spec: VmSpec, disk: VmDisk, sizeBytes: number, isOn: boolean): Step[];
    /** Pure. Slots are up to here. */
    most(spec: Pick<VmSpec, 'devices'>): number;
    /** Pure. Why a disk comes or goes only while it is off; null: at any time. */
    whyOff?(spec: VmSpec): string | null;
    /** The program that makes each filesystem; none: volumes are made empty. */
    mkfs?: Record<VmFormat['type'], string>;
    /** Pure. An empty one, from no file to one that the machine has, whenever it is started. `isOn`: at once as well. */
    add(spec: VmSpec, disk: VmDisk, isOn: boolean): Step[];
    /** Pure. To no file. `untilMs`: it is on, and its guest has until then to let go of it; null: it is off. */
    remove(spec: VmSpec, disk: VmDisk, untilMs: number | null): Step[];
  };
  /** Its network cards, each on the network that the engine has for them or on a bridge of the host. All plans are pure. */
  cards?: {
    /** Slots are up to here. */
    most: number;
    /** Pure. Of the card in this slot, always the same for the same machine. */
    macOf(spec: VmSpec, slot: number): string;
    /** `isOn`: at once as well. */
    add(spec: VmSpec, card: VmCard, isOn: boolean): Step[];
    /** `untilMs`: it is on, and its guest has until then to let go of it; null: it is off. */
    remove(spec: VmSpec, card: VmCard, untilMs: number | null): Step[];
    /** What a change needs to know and only the engine does. */
    facts(context: PluginContext, spec: VmSpec, card: VmCard): Promise<JsonObject>;
    /** Plugged in elsewhere; it keeps its address and its place in the machine. `isOn`: at once as well. */
    move(spec: VmSpec, from: VmCard, to: VmCard, facts: JsonObject, isOn: boolean): Step[];
  };
  /** Its drive for CDs. All plans are pure. */
  cd?: {
    /** What is in it; null: it has no such drive. One that is off can be given one. */
    read(context: PluginContext, spec: VmSpec): Promise<VmCdDrive | null>;
    /** Another CD, or null for none. `isOn`: at once as well. */
    change(spec: VmSpec, path: string | null, drive: VmCdDrive | null, isOn: boolean): Step[];
  };
  /** What it looks for a system in: `bootDevicesOf`, in the order that is given, and nothing else of those. From its next start on. */
  boot?: {
    /** What the plan needs to know and only the engine does. */
    facts(context: PluginContext, spec: VmSpec): Promise<JsonObject>;
    /** Pure. Why it cannot be changed to this; null: it can. */
    why(spec: VmSpec, order: string[], facts: JsonObject): string | null;
    plan(spec: VmSpec, order: string[], facts: JsonObject): Step[];
  };
  /** Where the console of a machine that is on is now; null: it has none of that kind that a path leads to. */
  console?(context: PluginContext, id: string, kind: ConsoleKind): Promise<ConsoleEndpoint | null>;
  /** What the engine keeps of a machine, for people to read. Never a secret. */
  definition?(context: PluginContext, id: string): Promise<string>;
  /** Every machine that the engine knows, ours or not, in one question. */
  status(context: PluginContext): Promise<VmReading[]>;
  /** Of every machine that is on, in one question; asked every few seconds while somebody looks, and never waits for a guest. */
  usage?(context: PluginContext): Promise<VmUsage[]>;
  /** Addresses that machines got on networks of the engine. */
  addresses?: {
    /** Absolute; something changes in it whenever one is given or taken. It may not be there yet. */
    folder: string;
    /** Of those of these machines that are on. Never waits for a guest. */
    read(context: PluginContext, ids: string[]): Promise<VmAddresses[]>;
  };
  /** Addresses that the guest itself tells. */
  guestAddresses?: {
    /** Pure. Of a line of `watch`: the name of the machine whose guest can be asked from now on; null: of none. */
    heard(line: string): string | null;
    /** Of one that is on; without those that hold on one link only. Waits for the guest, for some seconds. null: it does not answer. */
    read(context: PluginContext, spec: VmSpec): Promise<string[] | null>;
  };
  watch?: Watch;
  /**
   * Pure. What a line of `watch` says a machine is now, shown before the engine has answered the question that follows every
   * line; null: it says nothing of that, or not for certain.
   */
  hears?(line: string): Pick<VmReading, 'name' | 'status'> | null;
  /** Looks of its own, used by its steps as `<id>/<name>`. They change nothing. */
  looks?: Record<string, (context: PluginContext, args: JsonObject) => Promise<LookResult>>;
}

/** Gives a plugin its types; returns it unchanged. */
export const defineVmPlugin = <P extends VmPlugin>(plugin: P): P => plugin;
