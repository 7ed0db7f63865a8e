import { afterAll } from 'vitest';
import { startFileServer } from '../support/file-server';
import { imageScenarios } from './image-scenarios';
import { matrixSuite } from './matrix-suite';

const server = await startFileServer();
const stop = new AbortController();
afterAll(() => {
  stop.abort();
  return server.close();
});

matrixSuite(imageScenarios(server, stop.signal));
