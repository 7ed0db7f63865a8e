/** What the first card of a new machine is given: by DHCP, or as it is written here. */
import { ipIssues } from '$lib/shared/ip-rules';
import type { CardIp } from '$lib/shared/wire/vms';

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export interface IpDraft {
  way: 'dhcp' | 'static';
  address: string;
  gateway: string;
  dns: string;
  search: string;
}

export class IpForm implements IpDraft {
  way = $state<'dhcp' | 'static'>('dhcp');
  address = $state('');
  gateway = $state('');
  dns = $state('');
  search = $state('');

  get draft(): IpDraft {
    const { way, address, gateway, dns, search } = this;
    return { way, address, gateway, dns, search };
  }
  /** null: the guest finds its network by itself. */
  wish = $derived.by((): CardIp | null => {
    const isStatic = this.way === 'static';
    const wish = {
      slot: 1,
      addresses: isStatic ? words(this.address) : [],
      gateways: isStatic ? words(this.gateway) : [],
      dns: words(this.dns),
      search: words(this.search),
    };
    return isStatic || wish.dns.length + wish.search.length > 0 ? wish : null;
  });
  /** The first thing that is wrong, by field; `''`: of none. */
  problems = $derived.by((): Partial<Record<'addresses' | 'gateways' | 'dns' | 'search', string>> => {
    if (!this.wish) return {};
    const found: Record<string, string> = {};
    if (this.way === 'static' && this.wish.addresses.length === 0)
      found['addresses'] = 'Give an address with the length of its network, or let DHCP tell.';
    for (const { field = '', message } of ipIssues(this.wish, ''))
      found[field.split('.')[0] ?? ''] ??= message;
    return found;
  });
  problem = $derived(Object.values(this.problems)[0] ?? null);
}
