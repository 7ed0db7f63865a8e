/** A certificate that ends soon. Cairn renews its own long before, so that one of those only tells that it could not. Pure. */
import type { CertificateView } from '$lib/shared/wire/certificates';
import type { Condition } from './condition';

const DAY_MS = 86_400_000;
const SOON_DAYS = { own: 7, given: 21 };
const URGENT_DAYS = 3;

export function certificateConditions(certificate: CertificateView | null, now: number): Condition[] {
  if (!certificate) return [];
  const { kind, subject, notAfter } = certificate;
  const days = Math.floor((notAfter - now) / DAY_MS);
  if (days >= SOON_DAYS[kind]) return [];
  const over = notAfter <= now;
  return [
    {
      id: 'certificate:expires',
      kind: 'certificate.expires',
      severity: days < URGENT_DAYS ? 'critical' : 'warning',
      subject: { type: 'host', id: 'certificate', label: subject },
      title: over ? 'The certificate has expired' : 'The certificate expires soon',
      text: `Browsers ${over ? 'refuse' : 'will refuse'} "${subject}" ${over ? 'since' : 'from'} ${new Date(notAfter).toISOString().slice(0, 10)}${over ? '' : ' on'}.`,
      remedy:
        kind === 'own'
          ? 'Make a new one in the settings. When that fails, the operation says what is in the way.'
          : 'Renew it where it was made and put it in its place in the settings, or go back to one of Cairn’s own.',
    },
  ];
}
