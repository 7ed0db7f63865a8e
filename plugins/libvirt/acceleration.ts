/** Can the processor run guests? QEMU is asked to start a machine without a disk under KVM, up to where its firmware gives up. */
import { existsSync } from 'node:fs';
import type { Acceleration, PluginContext } from '../../src/lib/plugin-api';
import { QEMU } from './virsh';

/** A second at most where it works; one that is itself emulated takes longer and gains nothing. */
const TRIAL_MS = 5_000;

/** `enforce`: a processor that lacks what every x86-64 one has (there are such imitations) is refused at once. */
const TRIAL = [
  ...['-accel', 'kvm', '-cpu', 'qemu64,enforce', '-machine', 'q35', '-m', '64'],
  ...['-nodefaults', '-display', 'none', '-no-reboot', '-boot', 'reboot-timeout=0'],
];

const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';

export async function acceleration(context: PluginContext): Promise<Acceleration> {
  if (!existsSync('/dev/kvm'))
    return {
      virtType: 'qemu',
      reason:
        'There is no /dev/kvm: virtualization is switched off in the firmware, or this host is itself a guest.',
    };
  try {
    await context.read(QEMU, TRIAL, { timeoutMs: TRIAL_MS });
    return { virtType: 'kvm' };
  } catch (error) {
    return { virtType: 'qemu', reason: `KVM was tried and does not work here: ${lastLine(error)}` };
  }
}
