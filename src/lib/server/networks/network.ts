/** The network links of the host as they are now: read again on every word of the kernel. */
import type { HostLink } from '$lib/shared/wire/networks';
import type { Config } from '../config';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import type { LiveHost } from '../host/host';
import { linkWatch, readLinks } from '../host/links';
import type { Logger } from '../log';

export interface Networks {
  /** As last read. */
  list(): HostLink[];
  /** Asks now. @throws as readLinks */
  read(): Promise<HostLink[]>;
  stop(): Promise<void>;
}

export function createNetworks(deps: {
  host: Pick<LiveHost, 'commands' | 'watch'>;
  config: Pick<Config, 'networkNamespace'>;
  bus: Bus;
  feed: Feed;
  log: Pick<Logger, 'warn'>;
}): Networks {
  const { host, config, bus, feed, log } = deps;
  host.watch(linkWatch(config.networkNamespace));
  let links: HostLink[] = [];
  let reading: Promise<void> | null = null;
  /** Something changed while it was being read. */
  let again = false;
  let stopped = false;

  async function read(): Promise<HostLink[]> {
    links = await readLinks(host.commands, config.networkNamespace);
    if (!stopped)
      feed.replace(
        'links',
        links.map((link) => ({ id: link.id, value: link })),
      );
    return links;
  }
  async function readWhileChanging(): Promise<void> {
    do {
      again = false;
      try {
        await read();
      } catch (error) {
        // What was known stays; the next change has it asked again.
        if (!stopped) log.warn({ error }, 'the network links could not be read');
      }
    } while (again && !stopped);
  }
  function refresh(): void {
    again = true;
    reading ??= readWhileChanging().finally(() => {
      reading = null;
    });
  }

  const unsubscribe = bus.on('links.changed', refresh);
  refresh();

  return {
    list: () => links,
    read,
    async stop() {
      stopped = true;
      unsubscribe();
      await reading;
    },
  };
}
