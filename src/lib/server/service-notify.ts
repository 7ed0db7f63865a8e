/**
 * Tells systemd how the service is: READY when it answers, WATCHDOG while the event loop turns, STOPPING at the end.
 * Node has no datagram sockets of the unix kind, so systemd-notify speaks for us; the unit says NotifyAccess=all.
 */
import type { Config } from './config';
import type { CommandRunner } from './host/types';
import type { Logger } from './log';

const PROGRAM = '/usr/bin/systemd-notify';
export const NOTIFY_PROGRAMS = [PROGRAM];

export interface ServiceNotify {
  ready(status: string): Promise<void>;
  stopping(): Promise<void>;
}

export function createServiceNotify(
  config: Pick<Config, 'notifySocket' | 'watchdogMs'>,
  commands: Pick<CommandRunner, 'read'>,
  log: Logger,
): ServiceNotify {
  let watchdog: NodeJS.Timeout | undefined;
  async function tell(...words: string[]): Promise<void> {
    if (config.notifySocket === '') return;
    try {
      await commands.read(PROGRAM, [`--pid=${process.pid}`, ...words], {
        timeoutMs: 5_000,
        env: { NOTIFY_SOCKET: config.notifySocket },
      });
    } catch (error) {
      log.warn({ error, words }, 'systemd was not told');
    }
  }
  return {
    async ready(status) {
      await tell('--ready', `--status=${status}`);
      // Half of the time allowed, as sd_watchdog_enabled(3) advises.
      if (config.notifySocket !== '' && config.watchdogMs > 0)
        watchdog = setInterval(() => void tell('WATCHDOG=1'), config.watchdogMs / 2);
      watchdog?.unref();
    },
    async stopping() {
      clearInterval(watchdog);
      await tell('STOPPING=1');
    },
  };
}
