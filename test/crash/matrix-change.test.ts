import { sandboxScenarios } from './drive-scenarios';
import { matrixSuite } from './matrix-suite';
import { mountScenarios, removeScenarios, renameScenarios } from './scenarios';

matrixSuite([...removeScenarios, ...mountScenarios, ...renameScenarios, ...sandboxScenarios]);
