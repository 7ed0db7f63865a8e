import { matrixSuite } from './matrix-suite';
import { driveScenarios, wipeScenarios } from './drive-scenarios';
import { pluginScenarios } from './plugin-scenarios';

matrixSuite([...wipeScenarios, ...driveScenarios, ...pluginScenarios]);
