/** Runs a program of the machine that hosts the lab to its end. */
import { spawn } from 'node:child_process';

/**
 * @returns what it printed on standard output
 * @throws Error with the end of what it said
 */
export function runProgram(program: string, argv: string[], options: { cwd?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(out);
      const end = `${out}${said}`.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${program} ${argv.join(' ')} ended with ${signal ?? code}:\n${end}`));
    });
  });
}
