import type { SystemView } from '$lib/shared/wire/feed';
import type { Services } from './services';

/**
 * Keeps the `system` document of the feed true: what this appliance is, and which sources of live change work.
 * @returns a function that ends it
 */
export function publishSystem({
  config,
  bus,
  feed,
  clock,
  version,
  certificate,
  configuration,
  restores,
  updates,
}: Pick<
  Services,
  'config' | 'bus' | 'feed' | 'clock' | 'version' | 'certificate' | 'configuration' | 'restores' | 'updates'
>): () => void {
  const sources = new Map<string, SystemView['sources'][number]>();
  const startedAt = clock.now();
  const publish = (): void =>
    feed.put('system', 'system', {
      id: 'system',
      hostname: config.hostname,
      version,
      sandbox: config.sandbox,
      startedAt,
      mountRoot: config.mountRoot,
      sources: [...sources.values()].sort((a, b) => a.name.localeCompare(b.name)),
      certificate: certificate.view(),
      update: updates.news(),
      configuration: configuration.state(),
      restore: restores.last(),
    });
  publish();
  const unsubscribe = [
    bus.on('certificate.changed', publish),
    bus.on('configuration.changed', publish),
    bus.on('updates.looked', publish),
    bus.on('source.changed', ({ name, ok, reason }) => {
      sources.set(name, { name, ok, reason });
      publish();
    }),
  ];
  return () => {
    for (const off of unsubscribe) off();
  };
}
