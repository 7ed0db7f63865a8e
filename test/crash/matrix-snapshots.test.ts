import { matrixSuite } from './matrix-suite';
import { snapshotScenarios } from './snapshot-scenarios';

matrixSuite(snapshotScenarios);
