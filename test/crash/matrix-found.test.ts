import { foundScenarios } from './found-scenarios';
import { matrixSuite } from './matrix-suite';

matrixSuite(foundScenarios);
