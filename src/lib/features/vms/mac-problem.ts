import { macIssues, normalMac } from '$lib/shared/vm-rules';
import type { Vm } from '$lib/shared/wire/vms';

/** What is wrong with an address that is asked for; null: nothing. @param exceptId the machine that it is for */
export function macProblem(mac: string, vms: Iterable<Vm>, exceptId: string | null): string | null {
  const [wrong] = macIssues(mac, '');
  if (wrong) return wrong.message;
  const owner = [...vms].find(
    ({ id, cards }) => id !== exceptId && cards.some((card) => card.mac === normalMac(mac)),
  );
  return owner ? `"${owner.name}" has this address.` : null;
}
