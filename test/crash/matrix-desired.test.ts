import { desiredScenarios } from './desired-scenarios';
import { matrixSuite } from './matrix-suite';

matrixSuite(desiredScenarios);
