import { expect, it } from 'vitest';
import { vmConditions } from '$lib/server/alerts/vm-conditions';
import type { Vm } from '$lib/shared/wire/vms';

const vm = (error: string | null): Vm =>
  ({ id: 'v', name: 'web', autostart: { on: true, order: 0, delaySeconds: 0, error } }) as Vm;

it('tells of a machine that did not start with the host, until it was started', () => {
  expect(vmConditions([vm('Too little memory is free.')])).toMatchObject([
    { id: 'vm:v:autostart', text: 'Too little memory is free.', subject: { label: 'web' } },
  ]);
  expect(vmConditions([vm(null)])).toEqual([]);
});
