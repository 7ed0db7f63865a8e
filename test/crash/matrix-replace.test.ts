import { matrixSuite } from './matrix-suite';
import { replaceScenarios } from './member-scenarios';

matrixSuite(replaceScenarios, { count: 3, bytes: 320 * 1024 ** 2 });
