/** The virtual machine itself: its command line, and the process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { blockNodes, device, PCI_PORTS, throttleGroup, type Drive } from './drives.ts';

export const QEMU = '/usr/bin/qemu-system-x86_64';
const MEMORY_MIB = 1024;
/** Ports of the guest that are reachable from outside, each through a free port of 127.0.0.1. */
export const CONTROL_PORT = 7000;
export const PRODUCT_PORT = 8420;

export interface Start {
  /** Folder of this machine: sockets, console, root overlay. */
  folder: string;
  kernel: string;
  initrd: string;
  rootOverlay: string;
  /** There from the start. */
  drives: Drive[];
  kernelWords?: string[];
  /** A saved state to go on from, made with the same fixed arguments. */
  stateFile?: string;
}

/** What a saved state depends on; in the order that gives every device its place on the PCI bus. */
export function fixedArguments(): string[] {
  const ports = [...Array(PCI_PORTS).keys()].flatMap((n) => [
    '-device',
    `pcie-root-port,id=port${n},chassis=${n + 1},slot=${n + 1}`,
  ]);
  return [
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', String(MEMORY_MIB)],
    // max: the emulated CPU then has SVM, so that a guest in the guest can use KVM.
    ...['-cpu', 'max', '-M', 'q35,vmport=off,hpet=off'],
    ...['-display', 'none', '-nodefaults', '-no-user-config', '-rtc', 'base=utc'],
    ...['-device', 'virtio-blk-pci,drive=root,serial=lab-root'],
    ...['-device', 'virtio-scsi-pci,id=scsi'],
    // The cloud kernel has no driver for AHCI; it has one for this controller.
    ...['-device', 'piix3-ide,id=pata'],
    ...['-device', 'virtio-net-pci,netdev=net'],
    ...['-device', 'virtio-rng-pci'],
    ...ports,
  ];
}

export const KERNEL_WORDS = [
  'rw',
  'console=ttyS0',
  // Told apart from a guest that hangs: whoever waits for a real boot can see how far it has come.
  'loglevel=7',
  'systemd.show_status=0',
  'mitigations=off',
  'nokaslr',
  'random.trust_cpu=on',
];
/** For real boots only; a saved guest is the same with and without. */
const BOOT_WORDS = [
  // The card keeps its first name: renamed between a look and the next command, it would stay without its address.
  'net.ifnames=0',
  // On a busy host the emulated timer may look dead to the kernel for the moment in which it is checked, and it gives up.
  'no_timer_check',
];

const optionText = (values: Record<string, string>): string => {
  const { driver = '', ...rest } = values;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`);
  return [driver, ...pairs].join(',');
};

function startArguments(start: Start): string[] {
  const root = {
    driver: 'qcow2',
    'node-name': 'root',
    // The root drive is thrown away with the machine: flushes are not passed on to the host's disk.
    cache: { 'no-flush': true },
    file: { driver: 'file', filename: start.rootOverlay, cache: { 'no-flush': true } },
    discard: 'unmap',
  };
  const drives = start.drives.flatMap((drive) => [
    ...['-object', JSON.stringify(throttleGroup(drive))],
    ...blockNodes(drive).flatMap((node) => ['-blockdev', JSON.stringify(node)]),
    ...['-device', optionText(device(drive))],
  ]);
  const forward = (port: number) => `hostfwd=tcp:127.0.0.1:0-10.0.2.15:${port}`;
  return [
    ...['-name', 'cairn-lab'],
    ...['-blockdev', JSON.stringify(root)],
    // restrict: nothing but the forwarded ports leads in or out.
    ...['-netdev', `user,id=net,restrict=on,${forward(CONTROL_PORT)},${forward(PRODUCT_PORT)}`],
    ...fixedArguments(),
    ...drives,
    ...['-kernel', start.kernel, '-initrd', start.initrd],
    ...['-append', [...KERNEL_WORDS, ...BOOT_WORDS, ...(start.kernelWords ?? [])].join(' ')],
    ...['-serial', `file:${join(start.folder, 'console.log')}`],
    ...['-qmp', `unix:${join(start.folder, 'qmp')},server=on,wait=off`],
    ...(start.stateFile ? ['-incoming', `exec:exec cat '${start.stateFile}'`] : []),
  ];
}

/**
 * Starts QEMU, which says what it has to say in `qemu.log`. It ends with this process, however that ends: the kernel kills
 * it (PR_SET_PDEATHSIG).
 */
export function startQemu(start: Start): ChildProcess {
  const log = openSync(join(start.folder, 'qemu.log'), 'a');
  try {
    return spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', QEMU, ...startArguments(start)], {
      cwd: start.folder,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}
