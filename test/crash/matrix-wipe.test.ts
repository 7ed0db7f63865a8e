import { matrixSuite } from './matrix-suite';
import { driveScenarios, wipeScenarios } from './drive-scenarios';

matrixSuite([...wipeScenarios, ...driveScenarios]);
