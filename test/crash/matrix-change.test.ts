import { matrixSuite } from './matrix-suite';
import { mountScenarios, removeScenarios, renameScenarios, sandboxScenarios } from './scenarios';

matrixSuite([...removeScenarios, ...mountScenarios, ...renameScenarios, ...sandboxScenarios]);
