import { afterAll } from 'vitest';
import { startFileServer } from '../support/file-server';
import { PrivateLibvirt } from '../support/private-libvirt';
import { matrixSuite } from './matrix-suite';
import { vmScenarios } from './vm-scenarios';

const server = await startFileServer();
afterAll(() => server.close());

let libvirt: PrivateLibvirt | undefined;
function here(): PrivateLibvirt {
  if (!libvirt) throw new Error('libvirtd has not been started');
  return libvirt;
}

matrixSuite(
  vmScenarios(here, server),
  { count: 1 },
  {
    enter: (folder) => here().enter(folder),
    async open(dataDir) {
      libvirt = new PrivateLibvirt(dataDir);
      await libvirt.start();
    },
    close: async () => libvirt?.close(),
  },
);
