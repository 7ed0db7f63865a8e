/**
 * Asks the Cairn that runs here to stop its machines in their order, and waits until they are off: for systemd, when the host goes
 * down. `node src/stop-machines.ts <data directory>`; exit code 1 when not every machine is off, 2 when Cairn does not answer.
 */
import { request } from 'node:http';
import { join } from 'node:path';

const [dataDir] = process.argv.slice(2);
if (!dataDir) {
  process.stderr.write('Usage: node src/stop-machines.ts <data directory>\n');
  process.exit(2);
}

const asked = request(
  { socketPath: join(dataDir, 'local.sock'), path: '/stop-machines', method: 'POST' },
  (response) => {
    let last = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      process.stdout.write(text);
      last = (last + text).split('\n').slice(-2).join('\n');
    });
    response.on('end', () => process.exit(last.trim() === 'done' ? 0 : 1));
  },
);
asked.on('error', (error) => {
  process.stderr.write(`Cairn does not answer: ${error.message}\n`);
  process.exit(2);
});
asked.end();
