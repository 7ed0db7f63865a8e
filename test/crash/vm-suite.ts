import { afterAll } from 'vitest';
import { startFileServer } from '../support/file-server';
import { PrivateLibvirt } from '../support/private-libvirt';
import { matrixSuite } from './matrix-suite';
import { networkScenarios } from './network-scenarios';
import { vmScenarios } from './vm-scenarios';

/** Every third of the scenarios, on a libvirtd of their own: one file with all of them would run longest by far. */
export async function vmSuite(part: 0 | 1 | 2): Promise<void> {
  const server = await startFileServer();
  afterAll(() => server.close());
  let libvirt: PrivateLibvirt | undefined;
  function here(): PrivateLibvirt {
    if (!libvirt) throw new Error('libvirtd has not been started');
    return libvirt;
  }
  matrixSuite(
    [...networkScenarios(here), ...vmScenarios(here, server)].filter((_, index) => index % 3 === part),
    { count: 1 },
    {
      enter: (folder) => here().enter(folder),
      env: () => ({ CAIRN_NETWORK_NAMESPACE: here().networkNamespace }),
      async open(dataDir) {
        libvirt = new PrivateLibvirt(dataDir);
        await libvirt.start();
      },
      close: async () => libvirt?.close(),
    },
  );
}
