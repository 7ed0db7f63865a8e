import { matrixSuite } from './matrix-suite';
import { wipeScenarios } from './scenarios';

matrixSuite(wipeScenarios);
