/** Texts about starts of Cairn. */
import type { BootCause, BootReport } from '$lib/shared/wire/boots';
import { formatDuration } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const CAUSES: Record<BootCause, { title: string; tone: Tone }> = {
  first: { title: 'First start', tone: 'quiet' },
  stopped: { title: 'Stopped and started', tone: 'quiet' },
  crashed: { title: 'Ended unexpectedly', tone: 'warn' },
  'host-restarted': { title: 'Host restarted', tone: 'quiet' },
  'power-lost': { title: 'Power cut or reset', tone: 'warn' },
};

/** `Off for 3 h 5 min`; null for the first start. */
export function offFor({ downSince, startedAt, isApproximate }: BootReport): string | null {
  if (downSince === null) return null;
  const off = startedAt - downSince;
  if (off < 60_000) return 'Off for less than a minute';
  return `Off for ${isApproximate ? 'about ' : ''}${formatDuration(off)}`;
}
