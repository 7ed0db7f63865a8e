/** A machine that should have started with the host and could not. It is over when somebody starts it. Pure. */
import type { Vm } from '$lib/shared/wire/vms';
import type { Condition } from './condition';

export const vmConditions = (vms: Vm[]): Condition[] =>
  vms.flatMap(({ id, name, autostart }): Condition[] =>
    autostart.error === null
      ? []
      : [
          {
            id: `vm:${id}:autostart`,
            kind: 'vm.autostart',
            severity: 'warning',
            subject: { type: 'vm', id, label: name },
            title: `The machine "${name}" did not start with the host`,
            text: autostart.error,
            remedy: 'Open the machine and start it: it says what is in the way.',
          },
        ],
  );
