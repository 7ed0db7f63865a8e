/** Virtual machines by libvirt and QEMU. What libvirt has is not written again. */
import type { Availability, PluginContext } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { acceleration } from './acceleration';
import { adoptLooksOf, adoptOf } from './adopt';
import { addressesOf } from './addresses';
import { consolesOf } from './consoles';
import { firmwareOf } from './firmware';
import { guestAddressesOf } from './guest-addresses';
import { looksOf } from './looks';
import { hearsDomain } from './parse-domains';
import { plansOf } from './plan';
import { powerPlansOf } from './plan-power';
import { mostDisks } from './domain-xml';
import { bootOf } from './plan-boot';
import { cardsFor } from './plan-cards';
import { cdOf } from './plan-cd';
import { planAdd, planGrow, planRemove, whyOff } from './plan-disks';
import { resizeOf } from './plan-resize';
import { shelveOf } from './plan-shelve';
import { formattedLook, MKFS } from './plan-volumes';
import { DD, RM, statesFolder } from './plan-firmware';
import { MV } from './plan-states';
import { CHMOD, templatePlansOf } from './plan-template';
import { snapshotPlansOf } from './plan-snapshots';
import { cloneWhy, readSnapshots } from './read-snapshots';
import { snapshotLooksOf } from './snapshot-looks';
import { QEMU_IMG, readDiskSize } from './qemu-img';
import {
  ID,
  NETWORK,
  QEMU,
  readDefinition,
  readDomains,
  readUsage,
  SOCKET,
  STDBUF,
  VIRSH,
  virsh,
  XORRISO,
} from './virsh';

async function check(sdk: PluginSdk, context: PluginContext): Promise<Availability> {
  const programs = await sdk.checkPrograms(context, [
    { program: VIRSH, argv: ['--version'], package: 'libvirt-clients' },
    { program: QEMU, argv: ['--version'], package: 'qemu-system-x86' },
    { program: QEMU_IMG, argv: ['--version'], package: 'qemu-utils' },
    { program: XORRISO, argv: ['-version'], package: 'xorriso' },
    { program: STDBUF, argv: ['--version'], package: 'coreutils' },
  ]);
  if (!programs.available) return programs;
  const networks = await context.read(VIRSH, virsh('net-list', '--all', '--name'), { okExitCodes: [0, 1] });
  if (networks.exitCode !== 0)
    return {
      available: false,
      // virsh says it in two lines, the second of which has the cause.
      reason: `libvirt does not answer: ${networks.stderr
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^error: /, '')}.`,
      remedy:
        'Start it: systemctl start libvirtd, or virtlogd -d and libvirtd -d where no systemd runs. If there is none: apt-get install libvirt-daemon-system.',
    };
  if (!networks.stdout.split('\n').includes(NETWORK))
    return {
      available: false,
      reason: `libvirt has no network "${NETWORK}", which machines are connected to.`,
      remedy: `Make it: virsh net-define /usr/share/libvirt/networks/${NETWORK}.xml`,
    };
  return { available: true };
}

export default (sdk: PluginSdk) =>
  sdk.defineVmPlugin({
    api: 1,
    kind: 'vm',
    id: ID,
    name: 'libvirt',
    version: '1.0.0',
    description:
      'Virtual machines on this host, by libvirt and QEMU, with the processor’s help where it works.',
    programs: [VIRSH, QEMU, QEMU_IMG, XORRISO, STDBUF, CHMOD, DD, MV, RM, ...Object.values(MKFS)],
    check: (context) => check(sdk, context),
    acceleration,
    firmware: { ...firmwareOf(sdk), statesFolder },
    ...plansOf(sdk),
    shelve: shelveOf(sdk),
    console: consolesOf(sdk),
    ...powerPlansOf(sdk),
    resize: resizeOf(sdk),
    template: templatePlansOf(sdk),
    adopt: adoptOf(sdk),
    cloneWhy: cloneWhy(sdk),
    snapshots: { read: readSnapshots(sdk), ...snapshotPlansOf(sdk) },
    cards: cardsFor(sdk),
    cd: cdOf(sdk),
    boot: bootOf(sdk),
    disks: {
      ...{ most: mostDisks, whyOff, sizeOf: readDiskSize(sdk), grow: planGrow, mkfs: MKFS },
      ...{ add: planAdd(sdk), remove: planRemove(sdk) },
    },
    definition: readDefinition,
    status: readDomains(sdk),
    usage: readUsage(sdk),
    addresses: addressesOf(sdk),
    guestAddresses: guestAddressesOf(sdk),
    // Its first line, the address, comes when it is connected: what happened before is read then.
    hears: hearsDomain,
    watch: { program: STDBUF, argv: ['-oL', VIRSH, ...virsh('uri; event --all --loop')], needs: SOCKET },
    looks: { formatted: formattedLook, ...looksOf(sdk), ...snapshotLooksOf(sdk), ...adoptLooksOf(sdk) },
  });
