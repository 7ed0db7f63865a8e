import type { Config } from '../config';
import type { Undoing } from '../undoing';
import { createConfiguration, type Configuration } from './copies';
import { createRestores, type RestoreDeps, type Restores } from './restore';

type Parts = Omit<RestoreDeps, 'configuration' | 'hostname' | 'mountRoot'> & {
  config: Pick<Config, 'hostname' | 'mountRoot'>;
  undoing: Undoing;
};

/** The copies, and what is made of them again. */
export function composeConfiguration({ config, undoing, ...parts }: Parts): {
  configuration: Configuration;
  restores: Restores;
} {
  const { hostname, mountRoot } = config;
  const configuration = createConfiguration({ ...parts, hostname });
  undoing.add('copies of the configuration', () => configuration.stop());
  const restores = createRestores({ ...parts, hostname, mountRoot, configuration });
  undoing.add('restore of the configuration', async () => restores.stop());
  return { configuration, restores };
}
