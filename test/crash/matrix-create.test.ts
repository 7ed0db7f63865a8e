import { matrixSuite } from './matrix-suite';
import { createScenarios } from './scenarios';

matrixSuite(createScenarios);
