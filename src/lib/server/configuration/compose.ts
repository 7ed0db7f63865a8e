import type { Config } from '../config';
import type { Undoing } from '../undoing';
import { createConfiguration, type Configuration } from './copies';
import { createRestores, type RestoreDeps, type Restores } from './restore';

type Parts = Omit<RestoreDeps, 'configuration' | 'hostname' | 'mountRoot' | 'updateChannel'> & {
  config: Pick<Config, 'hostname' | 'mountRoot' | 'updateChannel'>;
  undoing: Undoing;
};

/** The copies, and what is made of them again. */
export function composeConfiguration({ config, undoing, ...parts }: Parts): {
  configuration: Configuration;
  restores: Restores;
} {
  const { hostname, mountRoot, updateChannel } = config;
  const configuration = createConfiguration({ ...parts, hostname, updateChannel });
  undoing.add('copies of the configuration', () => configuration.stop());
  const restores = createRestores({ ...parts, hostname, mountRoot, updateChannel, configuration });
  undoing.add('restore of the configuration', async () => restores.stop());
  return { configuration, restores };
}
