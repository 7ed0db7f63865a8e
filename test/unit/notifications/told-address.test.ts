import { expect, it } from 'vitest';
import { isToldAddress } from '$lib/server/host/told-address';

it.each([
  '192.168.1.20',
  '10.0.0.2',
  '127.0.0.1',
  '100.64.1.1',
  'fd12:3456::1',
  '::1',
  '2001:db8::1',
  '1.1.1.1',
])('a message may go to %s', (address) => expect(isToldAddress(address)).toBe(true));
it.each([
  ...[
    '169.254.169.254',
    '169.254.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'fe80::1%eth0',
  ],
  ...['ff02::1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2::254', 'nas', ''],
])('no message goes to %s', (address) => expect(isToldAddress(address)).toBe(false));
