/** The thread in which `cairn plugins check` loads a plugin and judges it: build/cli/check-plugin.js. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkPlugin } from './lib/server/conformance/kit';
import type { KitMessage } from './lib/shared/plugin-report';

const port = parentPort;
if (!port) throw new Error('This is a thread of the command cairn: cairn plugins check <folder>');
const { folder } = workerData as { folder: string };
await checkPlugin(folder, (message: KitMessage) => port.postMessage(message));
