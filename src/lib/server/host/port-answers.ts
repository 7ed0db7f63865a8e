import { connect } from 'node:net';

/** Whether somebody accepts connections there. @returns null, or why not */
export const portProblem = (host: string, port: number, timeoutMs: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (problem: string | null) => (): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', end(null));
    socket.on('timeout', end('it does not answer'));
    socket.on('error', (error) => end(error.message)());
  });
