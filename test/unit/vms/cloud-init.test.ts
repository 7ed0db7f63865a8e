import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metaData, renamedUserData, userData, vendorData } from '$lib/server/vms/cloud-init';

describe('the seed of a machine', () => {
  it('says who may log in, and how', () => {
    const text = userData('web', { user: 'ann', sshKeys: ['ssh-ed25519 AAAA ann'], hasPassword: false });
    expect(text.startsWith('#cloud-config\n')).toBe(true);
    expect(parse(text)).toMatchObject({
      hostname: 'web',
      ssh_pwauth: false,
      users: [{ name: 'ann', lock_passwd: true, ssh_authorized_keys: ['ssh-ed25519 AAAA ann'] }],
    });
  });
  it('says the same of a clone, under its own name', () => {
    const login = { user: 'ann', sshKeys: ['ssh-ed25519 AAAA ann'], hasPassword: true };
    expect(renamedUserData(userData('web', login), 'web-2')).toBe(userData('web-2', login));
    for (const wrong of ['', '#!/bin/sh\n', '#cloud-config\n', 'hostname: web\n'])
      expect(() => renamedUserData(wrong, 'web-2')).toThrow();
  });
  it('carries a password only in the part that is kept secret', () => {
    expect(userData('web', { user: 'ann', sshKeys: [], hasPassword: true })).not.toContain('$6$');
    expect(parse(vendorData('ann', '$6$salt$hash'))).toEqual({
      chpasswd: { expire: false, users: [{ name: 'ann', password: '$6$salt$hash', type: 'hash' }] },
    });
  });
  it('keeps whatever is in a value as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant('a: "b" # \'c\''), fc.string()), (value) => {
        const { users } = parse(userData('web', { user: 'ann', sshKeys: [value], hasPassword: false })) as {
          users: { ssh_authorized_keys: string[] }[];
        };
        expect(users[0]?.ssh_authorized_keys).toEqual([value]);
        expect((parse(metaData('id', value)) as Record<string, string>)['local-hostname']).toBe(value);
      }),
    );
  });
});
