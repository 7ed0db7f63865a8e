/** The check that every plugin begins with: are its programs installed, and does the kernel know its filesystems? */
import type { Availability, PluginContext } from './storage';

export interface NeededProgram {
  program: string;
  /** Arguments that make it print its version and end: the proof that it can be started. */
  argv: string[];
  /** Debian package that brings it. */
  package: string;
  /** Exit codes of that call that are fine; default [0]. */
  okExitCodes?: number[];
}

/** A filesystem type as in /proc/filesystems; with a remedy where it does not come with a kernel of Debian. */
export type NeededFilesystem = string | { type: string; remedy: string };

const A_KERNEL =
  'Install a kernel with this filesystem (Debian: apt-get install linux-image-amd64 or linux-image-arm64), then restart.';

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'program_missing';

/** @throws what the context throws for anything but a missing program */
export async function checkPrograms(
  context: PluginContext,
  needed: NeededProgram[],
  /** What the kernel has to be able to mount. */
  filesystems: NeededFilesystem[] = [],
): Promise<Availability> {
  // What the kernel lacks no program can make good; and this costs nothing to ask.
  const kernel = checkFilesystems(context, filesystems);
  if (!kernel.available) return kernel;
  // Together: a plugin has many programs, and the time for its check is short on a busy machine.
  const lacks = async ({ program, argv, okExitCodes = [0] }: NeededProgram): Promise<boolean> => {
    try {
      await context.read(program, argv, { timeoutMs: 5_000, okExitCodes });
      return false;
    } catch (error) {
      if (!isMissing(error)) throw error;
      return true;
    }
  };
  const answers = await Promise.all(needed.map(lacks));
  const missing = needed.filter((_item, index) => answers[index]);
  if (missing.length === 0) return { available: true };
  const packages = [...new Set(missing.map((item) => item.package))].join(' ');
  return {
    available: false,
    reason: `Not installed: ${missing.map((item) => item.program).join(', ')}.`,
    remedy: `Install it: apt-get install ${packages}`,
  };
}

function checkFilesystems(context: PluginContext, filesystems: NeededFilesystem[]): Availability {
  const unknown = filesystems
    .map((needed) => (typeof needed === 'string' ? { type: needed, remedy: A_KERNEL } : needed))
    .filter(({ type }) => !context.hasFilesystem(type));
  if (unknown.length === 0) return { available: true };
  return {
    available: false,
    reason: `The running kernel cannot mount ${unknown.map(({ type }) => type).join(', ')}.`,
    remedy: [...new Set(unknown.map(({ remedy }) => remedy))].join(' '),
  };
}
