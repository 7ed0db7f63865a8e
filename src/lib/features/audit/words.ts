import { errorEntry, isErrorCode } from '$lib/shared/error-codes';
import type { AuditOutcome } from '$lib/shared/audit-words';
import type { AuditEntry } from '$lib/shared/wire/audit';
import { formatTime } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const outcomeWord: Record<AuditOutcome, string> = {
  begun: 'under way',
  done: 'done',
  refused: 'refused',
  denied: 'denied',
  failed: 'failed',
  interrupted: 'interrupted',
};
export const outcomeTone: Record<AuditOutcome, Tone> = {
  begun: 'accent',
  done: 'good',
  refused: 'quiet',
  denied: 'warn',
  failed: 'bad',
  interrupted: 'warn',
};

const WORDS: Record<string, string> = {
  'session.login': 'signed in',
  'session.secondFactor': 'gave the code of the second factor',
  'session.logout': 'signed out',
  'session.setup': 'made the first account',
  'session.confirm': 'gave the password once more',
  'session.changePassword': 'changed the password',
  'session.revoke': 'ended a session',
  'session.revokeOthers': 'ended all other sessions',
  'secondFactor.begin': 'began to set up a second factor',
  'secondFactor.enable': 'set up a second factor',
  'secondFactor.renewCodes': 'made new recovery codes',
  'secondFactor.disable': 'gave up the second factor',
};
const TRIED: Record<string, string> = {
  'session.login': 'tried to sign in',
  'session.secondFactor': 'tried a code of the second factor',
};
/** What a call was, for people: `vms.setAutostart` → `machines: set autostart`. */
export function callWords({ what, outcome }: Pick<AuditEntry, 'what' | 'outcome'>): string {
  const known = (outcome === 'done' ? undefined : TRIED[what]) ?? WORDS[what];
  if (known !== undefined) return known;
  if (/\s/.test(what) || !what.includes('.')) return what;
  const [noun = '', verb = ''] = what.split('.');
  const spaced = (text: string): string => text.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${spaced(noun).replace(/^(removed )?vms?\b/, '$1machines')}: ${spaced(verb)}`;
}
export const whyWords = (code: string | null): string | null =>
  code === null ? null : isErrorCode(code) ? errorEntry(code).title : code;

/** A moment is one by the name of its field. */
const valueWords = (key: string, value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' && /At$/.test(key)
      ? formatTime(value)
      : JSON.stringify(value);
/** `poolGroupGuid: ab12, label: tank`; what is nested is shown as it was sent. */
export function inputWords({ input }: AuditEntry): string {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return '';
  return Object.entries(input)
    .map(([key, value]) => `${key}: ${valueWords(key, value)}`)
    .join(', ');
}
