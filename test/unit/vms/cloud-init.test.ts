import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readMoreConfig } from '$lib/server/vms/more-cloud-config';
import { metaData, networkConfig, renamedUserData, userData, vendorData } from '$lib/server/vms/cloud-init';

const LOGIN = { user: 'ann', sshKeys: [] as string[], hasPassword: true, packages: [] as string[], more: {} };

describe('the seed of a machine', () => {
  it('says who may log in, and how', () => {
    const text = userData('web', { ...LOGIN, sshKeys: ['ssh-ed25519 AAAA ann'], hasPassword: false });
    expect(text.startsWith('#cloud-config\n')).toBe(true);
    expect(parse(text)).toMatchObject({
      hostname: 'web',
      ssh_pwauth: false,
      users: [{ name: 'ann', lock_passwd: true, ssh_authorized_keys: ['ssh-ed25519 AAAA ann'] }],
    });
  });
  it('installs what is asked for, and has more of cloud-config beside it', () => {
    const { content, issues } = readMoreConfig('#cloud-config\nruncmd:\n  - [echo, "a: \\"b\\" # c"]\n');
    expect(issues).toEqual([]);
    const text = userData('web', { ...LOGIN, packages: ['nginx', 'g++'], more: content });
    expect(parse(text)).toMatchObject({
      ...{ packages: ['nginx', 'g++'], package_update: true, hostname: 'web' },
      runcmd: [['echo', 'a: "b" # c']],
    });
    expect(parse(userData('web', LOGIN))).not.toHaveProperty('packages');
  });
  it.each([
    ['a tab', 'a:\n\t- b', 'cloud_config_invalid'],
    ['a script', '#!/bin/sh\necho', 'cloud_config_invalid'],
    ['another kind of user data', '#cloud-config-archive\n- a', 'cloud_config_invalid'],
    ['a list', '- a', 'cloud_config_invalid'],
    ['a word', 'hello', 'cloud_config_invalid'],
    ['the same name twice', 'a: 1\na: 2', 'cloud_config_invalid'],
    ['names for nothing', 'a: *b', 'cloud_config_invalid'],
    ['what the form asks for', 'users: []', 'cloud_config_taken'],
    ['a password', 'chpasswd: {}', 'cloud_config_taken'],
  ])('takes no cloud-config with %s', (_title, text, code) => {
    expect(readMoreConfig(text).issues.map((issue) => issue.code)).toEqual([code]);
    expect(readMoreConfig(text).content).toEqual({});
  });
  it('takes nothing at all for nothing more', () => {
    for (const text of ['', ' \n', '#cloud-config\n', '# only a comment\n'])
      expect(readMoreConfig(text)).toEqual({ content: {}, issues: [] });
  });
  it('says the same of a clone, under its own name', () => {
    const login = { ...LOGIN, sshKeys: ['ssh-ed25519 AAAA ann'] };
    expect(renamedUserData(userData('web', login), 'web-2')).toBe(userData('web-2', login));
    for (const wrong of ['', '#!/bin/sh\n', '#cloud-config\n', 'hostname: web\n'])
      expect(() => renamedUserData(wrong, 'web-2')).toThrow();
  });
  it('carries a password only in the part that is kept secret', () => {
    expect(userData('web', LOGIN)).not.toContain('$6$');
    expect(parse(vendorData('ann', '$6$salt$hash'))).toEqual({
      chpasswd: { expire: false, users: [{ name: 'ann', password: '$6$salt$hash', type: 'hash' }] },
    });
  });
  it('keeps whatever is in a value as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant('a: "b" # \'c\''), fc.string()), (value) => {
        const { users } = parse(userData('web', { ...LOGIN, sshKeys: [value], hasPassword: false })) as {
          users: { ssh_authorized_keys: string[] }[];
        };
        expect(users[0]?.ssh_authorized_keys).toEqual([value]);
        expect((parse(metaData('id', value)) as Record<string, string>)['local-hostname']).toBe(value);
      }),
    );
  });
  it('is read alike by YAML 1.1, which has other numbers and words for yes', () => {
    const values = [
      '52:54:00:12:34:56',
      '12:30',
      'on',
      'no',
      '0o17',
      '017',
      '=',
      '<<',
      '2024-01-01',
      'a: "b" # \'c\'',
    ];
    const text = userData('web', { ...LOGIN, sshKeys: values, more: { on: values } });
    for (const version of ['1.1', '1.2'] as const)
      expect(parse(text, { version })).toMatchObject({
        users: [{ ssh_authorized_keys: values }],
        on: values,
      });
  });
});

describe('the network of a machine', () => {
  const nothing = { addresses: [], gateways: [], dns: [], search: [] };
  it('is given to each card by its address, by DHCP or as it was asked for', () => {
    const text = networkConfig([
      {
        ...{ slot: 1, mac: '52:54:00:12:34:56', addresses: ['192.168.7.10/24', 'fd00:7::a/64'] },
        ...{ gateways: ['192.168.7.1', 'fe80::1'], dns: ['192.168.7.1'], search: ['home.arpa'] },
      },
      { slot: 2, mac: '52:54:00:00:00:02', ...nothing },
    ]);
    expect(parse(text, { version: '1.1' })).toEqual({
      version: 2,
      ethernets: {
        eth0: {
          match: { macaddress: '52:54:00:12:34:56' },
          'set-name': 'eth0',
          ...{ dhcp4: false, dhcp6: false, addresses: ['192.168.7.10/24', 'fd00:7::a/64'] },
          routes: [
            { to: '0.0.0.0/0', via: '192.168.7.1' },
            { to: '::/0', via: 'fe80::1' },
          ],
          nameservers: { addresses: ['192.168.7.1'], search: ['home.arpa'] },
        },
        eth1: {
          match: { macaddress: '52:54:00:00:00:02' },
          ...{ 'set-name': 'eth1', dhcp4: true, dhcp6: true },
        },
      },
    });
  });
});
