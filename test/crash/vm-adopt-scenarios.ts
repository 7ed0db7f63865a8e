/** A machine that gets a record, and gives it up, as scenarios of the crash matrix: it is the same machine before and after. */
import type { ConfigurationCopies } from '$lib/shared/wire/configuration';
import type { Appliance } from '../support/appliance';
import { mustSucceed } from '../support/machines';
import type { PrivateLibvirt } from '../support/private-libvirt';
import type { Scenario } from './cases';

interface Machine {
  libvirt: () => PrivateLibvirt;
  id: string;
  setUp(appliance: Appliance, wanted: 'off'): Promise<void>;
  observe(appliance: Appliance): unknown;
}

export function vmAdoptScenarios({ libvirt, id, setUp, observe }: Machine): Scenario[] {
  const adopt = (appliance: Appliance) => appliance.rest('POST', `/found-vms/${id}/adopt`);
  const release = (appliance: Appliance) => appliance.rest('POST', `/vms/${id}/release`);
  const hasRecord = (appliance: Appliance): boolean =>
    appliance.query('SELECT 1 FROM vms WHERE id = ?', id).length > 0;
  const isKept = (): boolean =>
    libvirt().virsh('dumpxml', '--inactive', 'web').stdout.includes('cairn-keeper');
  async function found(appliance: Appliance): Promise<void> {
    if (!hasRecord(appliance) && libvirt().domstate('web') !== null) return;
    await setUp(appliance, 'off');
    await mustSucceed(appliance, await release(appliance));
  }
  /** A copy of the configuration that knows it, of which nothing but that and its disks is left. */
  let copy = '';
  async function lost(appliance: Appliance): Promise<void> {
    if (copy !== '' && !hasRecord(appliance) && libvirt().domstate('web') === null) return;
    if (!hasRecord(appliance) && libvirt().domstate('web') !== null)
      await mustSucceed(appliance, await adopt(appliance));
    await setUp(appliance, 'off');
    await appliance.rest('POST', '/configuration-copies');
    const { body } = await appliance.rest<ConfigurationCopies>('GET', '/configuration-copies');
    copy = body.copies.find(({ vms }) => vms.includes('web'))?.id ?? '';
    await mustSucceed(appliance, await release(appliance));
    libvirt().virsh('undefine', 'web', '--nvram');
  }
  return [
    {
      title: 'vm.adopt',
      kind: 'vm.adopt',
      setUp: found,
      begin: adopt,
      backward: true,
      observe,
    },
    {
      title: 'vm.release',
      kind: 'vm.release',
      async setUp(appliance) {
        if (hasRecord(appliance) && isKept()) return;
        await found(appliance);
        await mustSucceed(appliance, await adopt(appliance));
      },
      begin: release,
      backward: true,
      observe,
    },
    {
      title: 'vm.recall',
      kind: 'vm.recall',
      setUp: lost,
      begin: (appliance) => appliance.rest('POST', `/configuration-copies/${copy}/vms/${id}/restore`),
      backward: true,
      observe,
    },
  ];
}
