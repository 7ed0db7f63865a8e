/** The host itself: programs, units, space, clock, what the kernel can do. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { formatBytes } from '$lib/shared/units';
import type { CertificateView } from '$lib/shared/wire/certificates';
import type { DoctorCheck, DoctorGroup } from '$lib/shared/wire/doctor';
import type { PluginView } from '$lib/shared/wire/plugins';
import {
  FIRMWARE_PROGRAMS,
  OPTIONAL_PROGRAMS,
  PROGRAMS as PACKAGES,
  VM_PROGRAMS,
} from '../../../host-packages.mjs';
import { moduleState } from '../host/kernel-modules';
import { PROGRAMS } from '../host/programs';
import type { Host } from '../host/types';
import { usageAt } from '../host/usage';
import { toAppError } from '../errors';

type Commands = Host['commands'];
export const check = (
  group: DoctorGroup,
  id: string,
  title: string,
  [verdict, text, remedy]: [DoctorCheck['verdict'], string, (string | null)?],
): DoctorCheck => ({ id, group, title, verdict, text, remedy: remedy ?? null });

/** Without these only a part is missing; each with what it is for. */
const FOR_A_PART: Record<string, string> = {
  [PROGRAMS.btrfs]: 'pools made of btrfs',
  [PROGRAMS.ifdown]: 'bridges of the host',
  [PROGRAMS.ifup]: 'bridges of the host',
  [PROGRAMS.ip]: 'networks of the host',
  [PROGRAMS.journalctl]: 'logs in support bundles',
  [PROGRAMS.nsenter]: 'tests',
  [PROGRAMS.qemuImg]: 'inspecting images',
  [PROGRAMS.systemctl]: 'mounts by systemd',
  [PROGRAMS.systemdRun]: 'mounts by systemd',
  [PROGRAMS.systemdUmount]: 'mounts by systemd',
};
/** How each says its version; the first line counts. */
const VERSIONS: [program: string, argv: string[]][] = [
  [PROGRAMS.smartctl, ['--version']],
  [PROGRAMS.losetup, ['--version']],
  [PROGRAMS.udevadm, ['--version']],
  [PROGRAMS.btrfs, ['--version']],
  [PROGRAMS.qemuImg, ['--version']],
];
const packageOf = (program: string): string | null =>
  [...PACKAGES, ...OPTIONAL_PROGRAMS, ...VM_PROGRAMS, ...FIRMWARE_PROGRAMS].find(
    ([name]) => name === program || name === basename(program),
  )?.[1] ?? null;
const install = (program: string): string => {
  const name = packageOf(program);
  return name ? `apt install ${name}` : `Install the package that has ${program}.`;
};

export async function programChecks(commands: Commands, plugins: PluginView[]): Promise<DoctorCheck[]> {
  const missing = Object.values(PROGRAMS)
    .filter((program) => !existsSync(program))
    .map((program) => {
      const part = FOR_A_PART[program];
      const text = part
        ? `${program} is not there: ${part} do not work.`
        : `${program} is not there, and Cairn needs it.`;
      return check('Programs', `program:${basename(program)}`, basename(program), [
        part ? 'warning' : 'broken',
        text,
        install(program),
      ]);
    });
  const versions: DoctorCheck[] = [];
  for (const [program, argv] of VERSIONS.filter(([path]) => existsSync(path))) {
    const name = basename(program);
    try {
      const { stdout } = await commands.read(program, argv, { timeoutMs: 5_000 });
      versions.push(
        check('Programs', `version:${name}`, name, ['ok', stdout.split('\n')[0]?.trim().slice(0, 100) ?? '']),
      );
    } catch (error) {
      const { message } = toAppError(error);
      versions.push(
        check('Programs', `version:${name}`, name, [
          'broken',
          `It does not start: ${message}`,
          install(program),
        ]),
      );
    }
  }
  const unusable = plugins
    .filter(({ available, reason }) => !available && reason !== null)
    .map(({ id, name, reason, remedy }) =>
      check('Programs', `plugin:${id}`, `Plugin ${name}`, ['note', reason ?? '', remedy]),
    );
  return [...missing, ...versions, ...unusable];
}

/** Key=value lines of systemctl(1) show. */
const valuesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .flatMap((line) =>
        line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [],
      ),
  );

export async function unitChecks(commands: Commands, hasSystemd: boolean): Promise<DoctorCheck[]> {
  if (!hasSystemd)
    return [
      check('Host', 'systemd', 'systemd', [
        'note',
        'It does not run here: nobody starts Cairn again when it ends, and pools are mounted by Cairn alone.',
      ]),
    ];
  const checks: DoctorCheck[] = [];
  for (const unit of ['cairn.service', 'cairn-machines.service']) {
    const argv = ['show', '--property=LoadState,ActiveState,UnitFileState,NRestarts', '--', unit];
    const { stdout } = await commands.read(PROGRAMS.systemctl, argv, { timeoutMs: 5_000 });
    const { LoadState, ActiveState, UnitFileState, NRestarts } = valuesOf(stdout);
    const state = `${ActiveState}, ${UnitFileState || LoadState}${NRestarts && NRestarts !== '0' ? `, started again ${NRestarts} times` : ''}`;
    const isWell = LoadState === 'loaded' && ActiveState === 'active' && UnitFileState === 'enabled';
    checks.push(
      check('Host', `unit:${unit}`, unit, [
        isWell ? 'ok' : 'warning',
        LoadState === 'not-found'
          ? 'It is not installed: Cairn does not start with the host.'
          : `It is ${state}.`,
        isWell ? null : `systemctl enable --now ${unit}`,
      ]),
    );
  }
  return checks;
}

const LOW_SHARE = 0.1;
const LOW_BYTES = 1024 ** 3;
const NO_BYTES = 128 * 1024 ** 2;
export async function spaceChecks(
  commands: Commands,
  paths: [path: string, what: string][],
): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const [path, what] of paths) {
    try {
      const { sizeBytes, availableBytes } = await usageAt(commands, path);
      const isLow = availableBytes < LOW_BYTES && availableBytes < sizeBytes * LOW_SHARE;
      const verdict = availableBytes < NO_BYTES ? 'broken' : isLow ? 'warning' : 'ok';
      checks.push(
        check('Host', `space:${path}`, `Space for ${what}`, [
          verdict,
          `${formatBytes(availableBytes)} of ${formatBytes(sizeBytes)} are free at ${path}.`,
          verdict === 'ok'
            ? null
            : 'Make room there: without it nothing can be begun, and the database cannot be written.',
        ]),
      );
    } catch (error) {
      const { message } = toAppError(error);
      checks.push(
        check('Host', `space:${path}`, `Space for ${what}`, ['warning', message, `Look at ${path}.`]),
      );
    }
  }
  return checks;
}

/** systemd-timesyncd and chrony each leave a sign that the clock was set by somebody who knows. */
const SYNCED = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid', '/run/ntpd.pid'];
/** @param latestAt the newest time that is on disk; @param at now */
export function clockCheck(at: number, latestAt: number): DoctorCheck {
  const MINUTE = 60_000;
  if (latestAt - at > 5 * MINUTE)
    return check('Host', 'clock', 'Clock', [
      'broken',
      `It says ${new Date(at).toISOString()}, and there are records of ${new Date(latestAt).toISOString()}.`,
      'Set the clock, and let a time service keep it: apt install systemd-timesyncd',
    ]);
  const isKept = SYNCED.some((path) => existsSync(path));
  return check('Host', 'clock', 'Clock', [
    isKept ? 'ok' : 'note',
    isKept ? 'A time service keeps it.' : 'It goes forward; no time service is known to keep it.',
    isKept ? null : 'apt install systemd-timesyncd',
  ]);
}

/** Kernel modules and the plugin that needs them. */
const MODULES: [module: string, plugin: string][] = [
  ['btrfs', 'btrfs'],
  ['md_mod', 'mdraid'],
  ['raid456', 'mdraid'],
  ['dm_mod', 'lvm'],
  ['dm_thin_pool', 'lvm'],
  ['zfs', 'zfs'],
  ['tun', 'libvirt'],
];
/** @param used plugins that something here was made with */
export const moduleChecks = (used: ReadonlySet<string>): DoctorCheck[] =>
  MODULES.map(([module, plugin]) => {
    const state = moduleState(module);
    const verdict = state !== 'absent' ? 'ok' : used.has(plugin) ? 'broken' : 'note';
    const text = {
      loaded: 'The kernel has it.',
      loadable: 'It is loaded when it is needed.',
      absent: `This kernel does not have it: ${plugin} cannot be used.`,
    }[state];
    const remedy =
      verdict === 'broken' ? 'Install a kernel that has it, and start the host with that.' : null;
    return check('Host', `module:${module}`, `Kernel module ${module}`, [verdict, text, remedy]);
  });

const SOON_MS = 21 * 86_400_000;
/** @param view of what pages are served by; null: no HTTPS is spoken */
export function certificateCheck(view: CertificateView | null, at: number): DoctorCheck {
  if (!view)
    return check('Cairn', 'certificate', 'Certificate', ['note', 'Pages are served by HTTP, without one.']);
  const until = new Date(view.notAfter).toISOString().slice(0, 10);
  if (view.notAfter < at || view.notBefore > at)
    return check('Cairn', 'certificate', 'Certificate', [
      'broken',
      `It holds from ${new Date(view.notBefore).toISOString().slice(0, 10)} to ${until}, and not now.`,
      'Look at the clock; else replace the certificate in the settings.',
    ]);
  const ends = view.kind === 'given' && view.notAfter - at < SOON_MS;
  const missing = view.missingNames.length > 0;
  return check('Cairn', 'certificate', 'Certificate', [
    ends ? 'warning' : missing ? 'note' : 'ok',
    `It holds until ${until}${missing ? `, and says nothing about ${view.missingNames.join(', ')}` : ''}.`,
    ends || missing ? 'Replace it in the settings.' : null,
  ]);
}
