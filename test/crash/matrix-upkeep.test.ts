import { matrixSuite } from './matrix-suite';
import { aroundScenarios, upkeepScenarios } from './upkeep-scenarios';

matrixSuite([...upkeepScenarios, ...aroundScenarios]);
