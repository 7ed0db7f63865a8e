/** What Prometheus is told: what pages show, as it was last read. Asking wakes no drive and starts no program. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LIVE_OPERATION_STATES } from '$lib/shared/states';
import type { Drive } from '$lib/shared/wire/drives';
import type { Pool } from '$lib/shared/wire/pools';
import type { Vm } from '$lib/shared/wire/vms';
import type { Services } from '../services';
import { metricsText, type Metric, type Sample } from './text';

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();

/** A sample for each thing whose value is known. */
const known = <T>(
  list: T[],
  labels: (item: T) => Record<string, string>,
  value: (item: T) => number | null,
): Sample[] =>
  list.flatMap((item) => {
    const now = value(item);
    return now === null ? [] : [{ labels: labels(item), value: now }];
  });
const gauge = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  help,
  type: 'gauge',
  samples,
});

function poolMetrics(pools: Pool[]): Metric[] {
  const labels = ({ guid, label, plugin }: Pool) => ({ guid, pool: label, plugin });
  return [
    gauge(
      'cairn_pool_size_bytes',
      'Size of the filesystem.',
      known(pools, labels, (pool) => pool.sizeBytes),
    ),
    gauge(
      'cairn_pool_used_bytes',
      'Used space.',
      known(pools, labels, (pool) => pool.usedBytes),
    ),
    gauge(
      'cairn_pool_available_bytes',
      'Space for more.',
      known(pools, labels, (pool) => pool.availableBytes),
    ),
    gauge(
      'cairn_pool_mounted',
      '1 while it is mounted.',
      known(pools, labels, ({ mounted }) => Number(mounted)),
    ),
    gauge(
      'cairn_pool_info',
      'State of the record, status of the machine, health; always 1.',
      known(
        pools,
        (pool) => ({
          ...labels(pool),
          state: pool.state,
          status: pool.poolStatus ?? 'unknown',
          health: pool.health,
        }),
        () => 1,
      ),
    ),
  ];
}
function driveMetrics(drives: Drive[]): Metric[] {
  const labels = ({ id, serial, model }: Drive) => ({ drive: id, serial: serial ?? '', model: model ?? '' });
  return [
    gauge(
      'cairn_drive_size_bytes',
      'Size of the drive.',
      known(drives, labels, ({ sizeBytes }) => sizeBytes),
    ),
    gauge(
      'cairn_drive_present',
      '1 while the machine has it.',
      known(drives, labels, ({ present }) => Number(present)),
    ),
    gauge(
      'cairn_drive_temperature_celsius',
      'Temperature, as last read without waking it.',
      known(drives, labels, ({ health }) => health.temperatureCelsius),
    ),
    gauge(
      'cairn_drive_health_info',
      'What it says about its own health; always 1.',
      known(
        drives,
        (drive) => ({ ...labels(drive), health: drive.health.status }),
        () => 1,
      ),
    ),
  ];
}
function vmMetrics(vms: Vm[], services: Services): Metric[] {
  const labels = ({ id, name }: Vm) => ({ id, vm: name });
  const sampled = services.vms.usages.latest();
  return [
    gauge(
      'cairn_vm_info',
      'State of the machine; always 1.',
      known(
        vms,
        (vm) => ({ ...labels(vm), state: vm.state }),
        () => 1,
      ),
    ),
    gauge(
      'cairn_vm_cpus',
      'Processors that it has.',
      known(vms, labels, ({ cpus }) => cpus),
    ),
    gauge(
      'cairn_vm_memory_limit_bytes',
      'Memory that it may have.',
      known(vms, labels, (vm) => vm.memoryBytes),
    ),
    gauge(
      'cairn_vm_memory_used_bytes',
      'Memory of the host that it uses, while somebody looks.',
      known(vms, labels, ({ id }) => sampled[id]?.memoryBytes ?? null),
    ),
    gauge(
      'cairn_vm_cpu_usage_ratio',
      'Of all its processors, 0 to 1, while somebody looks.',
      known(vms, labels, ({ id }) => (sampled[id] ? sampled[id].cpuPercent / 100 : null)),
    ),
  ];
}
function operationMetrics({ operations }: Services): Metric[] {
  const { items } = operations.page({ limit: 200, live: true });
  const counts = Map.groupBy(items, ({ state }) => state);
  return [
    gauge(
      'cairn_operations',
      'Operations that have not ended, by their state.',
      LIVE_OPERATION_STATES.map((state) => ({ labels: { state }, value: counts.get(state)?.length ?? 0 })),
    ),
  ];
}
function processMetrics({ version, feed, proposals }: Services): Metric[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const loop = delay.percentile(99) / 1e9;
  delay.reset();
  return [
    gauge('cairn_build_info', 'Version; always 1.', [
      { labels: { version, node: process.version }, value: 1 },
    ]),
    gauge('cairn_alerts', 'Conditions that hold now.', [{ value: feed.ids('alerts').length }]),
    gauge('cairn_proposals_waiting', 'Proposals that wait for a person.', [
      { value: proposals.list().filter(({ state }) => state === 'waiting').length },
    ]),
    gauge('process_resident_memory_bytes', 'Resident memory.', [{ value: rss }]),
    gauge('nodejs_heap_size_used_bytes', 'Heap in use.', [{ value: heapUsed }]),
    gauge('nodejs_eventloop_lag_p99_seconds', 'Lag of the event loop since the last scrape.', [
      { value: loop },
    ]),
    {
      ...{ name: 'process_cpu_seconds_total', help: 'Time of processors.', type: 'counter' },
      samples: [{ value: (user + system) / 1e6 }],
    },
    gauge('process_start_time_seconds', 'When it started, since the epoch.', [
      { value: Math.round(Date.now() / 1_000 - process.uptime()) },
    ]),
  ];
}

export const metricsOf = (services: Services): string =>
  metricsText([
    ...poolMetrics(services.pools.list()),
    ...driveMetrics(services.drives.list()),
    ...vmMetrics(services.vms.list(), services),
    ...operationMetrics(services),
    ...processMetrics(services),
  ]);
