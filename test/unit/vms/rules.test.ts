import { describe, expect, it } from 'vitest';
import { guestPasswordIssues, sshKeyIssues, userNameIssues, vmNameIssues } from '$lib/shared/vm-rules';

const codes = (issues: { code: string }[]): string[] => issues.map(({ code }) => code);
const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk';

describe('the name of a machine', () => {
  it.each([
    ['', 'vm_name_empty'],
    ['ab', 'vm_name_too_short'],
    ['a'.repeat(64), 'vm_name_too_long'],
    ['-web', 'vm_name_leading_dash'],
    ['web-', 'vm_name_trailing_dash'],
    ['1web', 'vm_name_leading_digit'],
    ['my_web', 'vm_name_underscore'],
    ['Web', 'vm_name_invalid'],
    ['<web>', 'vm_name_invalid'],
    ['web 1', 'vm_name_invalid'],
  ])('%j is refused with a message of its own', (name, code) => {
    const issues = vmNameIssues(name);
    expect(codes(issues)).toEqual([code]);
    expect(issues[0]).toMatchObject({ field: 'name', remedy: expect.any(String) as unknown });
  });
  it.each(['web', 'web-1', 'a'.repeat(63)])('%s is fine', (name) => {
    expect(vmNameIssues(name)).toEqual([]);
  });
});

describe('a public key', () => {
  it.each([`ssh-ed25519 ${KEY}`, `ssh-ed25519 ${KEY} ann@desk and more`])('%s is taken', (line) => {
    expect(sshKeyIssues(line, 'k')).toEqual([]);
  });
  it.each([
    ['', 'cannot begin with'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private key'],
    [`ssh-dss ${KEY}`, 'cannot begin with'],
    [`ssh-rsa ${KEY}`, 'not complete'],
    [`ssh-ed25519 ${KEY.slice(0, 40)}`, 'not complete'],
    ['ssh-ed25519 not!base64', 'not complete'],
    [`ssh-ed25519 ${KEY}\nssh-ed25519 ${KEY}`, 'not one line'],
    [`command="x" ssh-ed25519 ${KEY}`, 'cannot begin with'],
  ])('%j is refused', (line, message) => {
    expect(sshKeyIssues(line, 'k')).toMatchObject([
      { code: 'ssh_key_invalid', message: expect.stringContaining(message) as unknown },
    ]);
  });
});

describe('a login', () => {
  it('has a name that Linux takes, and a password of some length', () => {
    expect(userNameIssues('ann')).toEqual([]);
    expect(codes(userNameIssues('Ann: x'))).toEqual(['user_name_invalid']);
    expect(guestPasswordIssues('a: "b" # \'c\'')).toEqual([]);
    expect(codes(guestPasswordIssues('short'))).toEqual(['guest_password_invalid']);
    expect(codes(guestPasswordIssues('with\nbreak'))).toEqual(['guest_password_invalid']);
  });
});
