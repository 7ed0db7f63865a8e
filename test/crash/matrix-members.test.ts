import { matrixSuite } from './matrix-suite';
import { memberScenarios } from './member-scenarios';

matrixSuite(memberScenarios);
