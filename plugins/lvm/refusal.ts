/** Why a change does not fit a pool now. Pure. */
import type { ChangeVerb, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import { layoutOf, nameOf } from './names';

const NO_COPY = 'Its layout keeps everything once: there is no second copy';

export function refusal(verb: ChangeVerb, spec: PoolSpec, reading: PoolReading | null): string | null {
  const layout = layoutOf(spec);
  const copies = layout === 'mirror' || layout === 'raid5';
  const gone = spec.drives.filter((drive) => !drive.present);
  const names = gone.map(nameOf).join(', ');
  const busy = reading?.work?.[0];
  const whileMounted = reading && !reading.mounted ? 'Mount it first: only then its volume runs.' : null;
  const whole = gone.length > 0 ? `Drive ${names} is not there. Replace it or plug it in first.` : null;
  const idle = busy ? `${busy.title} is under way. Wait until it has ended.` : null;

  switch (verb) {
    case 'expand':
      if (layout === 'raid5')
        return 'A raid5 volume of LVM cannot be spread over more drives in a safe way. Make a new pool, or use md.';
      return whole ?? idle ?? whileMounted;
    case 'replace':
      if (!copies && gone.length > 0) return `${NO_COPY} to rebuild drive ${names} from.`;
      return idle ?? whileMounted;
    case 'remove-drive':
      if (layout !== 'mirror')
        return 'The volume fills all of its drives, and cannot be made smaller while there are files on it. Replace the drive instead.';
      if (spec.drives.length <= 2) return 'A mirror needs two drives.';
      return whole ?? idle ?? whileMounted;
    case 're-add':
      return copies ? whileMounted : `${NO_COPY} to bring a drive up to date from. Plugging it in is enough.`;
    case 'start-scrub':
      return copies ? (whole ?? idle ?? whileMounted) : `${NO_COPY} to compare with.`;
    case 'stop-scrub':
      return busy?.kind === 'scrub' ? null : 'No scrub is under way.';
    default:
      return null;
  }
}
