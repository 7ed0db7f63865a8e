/** Texts about the health of drives. */
import type { DriveHealth, SelfTestEntry, SmartCounter } from '$lib/shared/wire/drives';
import type { Tone } from '$lib/ui/tone';

export const healthTone: Record<DriveHealth['status'], Tone> = {
  passed: 'good',
  failing: 'bad',
  unknown: 'quiet',
  unsupported: 'quiet',
};
export const healthWord: Record<DriveHealth['status'], string> = {
  passed: 'Healthy',
  failing: 'Failing',
  unknown: 'Not known',
  unsupported: 'No SMART data',
};

export const celsius = (value: number): string => `${value} °C`;

/** Hours that people can picture: `4.7 years (41,015 h)`. */
export function hoursText(hours: number): string {
  const exact = `${hours.toLocaleString('en')} h`;
  const days = hours / 24;
  if (days < 2) return exact;
  return days < 730 ? `${Math.round(days)} days (${exact})` : `${(days / 365).toFixed(1)} years (${exact})`;
}

export const counterWords: Record<SmartCounter, { title: string; unit: string }> = {
  reallocated: { title: 'Replaced sectors', unit: '' },
  pending: { title: 'Unreadable sectors', unit: '' },
  uncorrectable: { title: 'Uncorrected errors', unit: '' },
  crc: { title: 'Transfer errors', unit: '' },
  wornPercent: { title: 'Worn', unit: ' %' },
};
/** Which of them is bad in itself; replaced sectors and transfer errors are history. */
export const counterTone = (name: SmartCounter, value: number): Tone =>
  value === 0 || (name === 'wornPercent' && value < 90)
    ? 'quiet'
    : name === 'pending' || name === 'uncorrectable' || name === 'wornPercent'
      ? 'bad'
      : 'warn';

export const testTone: Record<SelfTestEntry['result'], Tone> = {
  passed: 'good',
  failed: 'bad',
  'broken-off': 'quiet',
};

/** `2 min`, `8 h 11 min`. */
export const minutesText = (minutes: number): string =>
  minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
