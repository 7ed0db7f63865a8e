import { expect, it } from 'vitest';
import { macIssues, normalMac } from '$lib/shared/vm-rules';

it('an address of a network card is kept in small letters, with colons', () => {
  expect(normalMac(' 52-54-00-AB-CD-EF ')).toBe('52:54:00:ab:cd:ef');
  for (const mac of ['52:54:00:ab:cd:ef', '52-54-00-AB-CD-EF', '02:00:00:00:00:01'])
    expect(macIssues(mac, 'mac')).toEqual([]);
});

it('one that no card can have is refused with the reason', () => {
  const wrong: [mac: string, why: RegExp][] = [
    ['', /no address/],
    ['52:54:00:ab:cd', /no address/],
    ['52:54:00:ab:cd:eg', /no address/],
    ["52:54:00:ab:cd:ef'/>", /no address/],
    ['01:00:5e:00:00:01', /group/],
    ['ff:ff:ff:ff:ff:ff', /group/],
    ['00:00:00:00:00:00', /no address/],
    ['fe:54:00:ab:cd:ef', /kept for the host/],
  ];
  for (const [mac, why] of wrong)
    expect(macIssues(mac, 'mac'), mac).toMatchObject([
      { code: 'mac_invalid', field: 'mac', message: expect.stringMatching(why) },
    ]);
});
