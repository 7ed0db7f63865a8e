import type { Logger } from './log';

/** What was started, to be stopped in reverse; an error in one does not keep the others running. */
export class Undoing {
  private readonly stack: { name: string; stop: () => Promise<void> | void }[] = [];

  add(name: string, stop: () => Promise<void> | void): void {
    this.stack.push({ name, stop });
  }
  async run(log: Logger): Promise<void> {
    for (let entry = this.stack.pop(); entry; entry = this.stack.pop()) {
      try {
        await entry.stop();
      } catch (error) {
        log.error({ error, part: entry.name }, 'did not stop cleanly');
      }
    }
  }
}
