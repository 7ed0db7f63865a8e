/** This very process: where it runs from, and its end. One object, so that a test can stand for it. */
export const ownProcess = {
  /** It was asked to end, and to be started again. */
  isEnding: false,
  /** The folder of its version, whatever links have led to it. */
  folder: (): string => process.cwd(),
  /** In order where somebody listens; before that as abruptly as a crash, which every start is ready for. */
  end(status: number): void {
    process.exitCode = status;
    if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
    else process.exit(status);
  },
};
