/** Jobs by the clock. A job only starts what the services do; it decides nothing. */
import cron from 'node-cron';
import type { Config } from '../config';
import type { Logger } from '../log';

export interface Job {
  name: string;
  /** Five or six cron fields. */
  cron: string;
  run(): Promise<void> | void;
}

export const housekeeping = (
  config: Pick<Config, 'sweepCron'>,
  work: { sweep(): Promise<void>; cleanUp(): void; boots: { signOfLife(): void } },
): Job[] => [
  { name: 'leave a sign of life', cron: '* * * * *', run: () => work.boots.signOfLife() },
  { name: 'sweep operations', cron: config.sweepCron, run: () => work.sweep() },
  { name: 'forget old sessions, attempts and events', cron: '7 * * * *', run: () => work.cleanUp() },
];

/** Each minute those drives whose turn it is; once a night the history becomes thinner. */
const driveJobs = (health: { readDue(): Promise<void>; forgetOld(): void }): Job[] => [
  { name: 'read the health of drives', cron: '* * * * *', run: () => health.readDue() },
  { name: 'thin the history of drives', cron: '23 3 * * *', run: () => health.forgetOld() },
];

/** Each hour how full the pools are; once a night what is old becomes thinner. */
const poolJobs = (samples: { take(): Promise<void>; thin(): void }): Job[] => [
  { name: 'note used space', cron: '0 * * * *', run: () => samples.take() },
  { name: 'thin the history of used space', cron: '37 3 * * *', run: () => samples.thin() },
];

/** Every five minutes what machines use; once a night what is old becomes thinner. */
const vmJobs = (
  history: { take(): Promise<void>; thin(): void },
  removed: { emptyDue(): Promise<void> },
): Job[] => [
  { name: 'note what machines use', cron: '*/5 * * * *', run: () => history.take() },
  { name: 'thin the history of what machines used', cron: '47 3 * * *', run: () => history.thin() },
  { name: 'delete removed machines whose time is over', cron: '*/10 * * * *', run: () => removed.emptyDue() },
];

/** Once a day, so that the catalog says how large an image is, and a newer build is noticed. */
const imageJobs = (images: { refreshCatalog(): Promise<unknown> }): Job[] => [
  {
    name: 'ask what the publishers of images offer',
    cron: '23 5 * * *',
    run: async () => void (await images.refreshCatalog()),
  },
];

/** Each minute those schedules whose time has come; what was missed while Cairn did not run is made up for. */
const snapshotJobs = (scheduler: { tick(): Promise<void> }): Job[] => [
  { name: 'take snapshots', cron: '* * * * *', run: () => scheduler.tick() },
];

/** What could not be told is tried again when its time has come, and what was held is let go. */
const notificationJobs = (notifications: { deliver(): Promise<void> }): Job[] => [
  { name: 'tell of alerts', cron: '*/10 * * * * *', run: () => notifications.deliver() },
];

/** Once a day, at a time at which nobody connects anew. */
const certificateJobs = (certificate: { tend(): Promise<void> }): Job[] => [
  { name: 'renew the certificate', cron: '11 4 * * *', run: () => certificate.tend() },
];

/** Each hour, so that each pool has one of today: what was changed is written at once. */
const configurationJobs = (configuration: { write(): Promise<unknown> }): Job[] => [
  {
    name: 'copy the configuration to the pools',
    cron: '41 * * * *',
    run: async () => void (await configuration.write()),
  },
];

/** Once a day; where no channel is named nobody is asked. */
const updateJobs = (updates: { checkDaily(): Promise<void> }): Job[] => [
  { name: 'look for an update', cron: '31 6 * * *', run: () => updates.checkDaily() },
];

/** Every job of the appliance. */
export const allJobs = (
  config: Parameters<typeof housekeeping>[0],
  work: Parameters<typeof housekeeping>[1] & {
    driveHealth: Parameters<typeof driveJobs>[0];
    samples: Parameters<typeof poolJobs>[0];
    vms: { usageHistory: Parameters<typeof vmJobs>[0]; removed: Parameters<typeof vmJobs>[1] };
    images: Parameters<typeof imageJobs>[0];
    scheduler: Parameters<typeof snapshotJobs>[0];
    notifications: Parameters<typeof notificationJobs>[0];
    certificate: Parameters<typeof certificateJobs>[0];
    configuration: Parameters<typeof configurationJobs>[0];
    updates: Parameters<typeof updateJobs>[0];
  },
): Job[] => [
  ...housekeeping(config, work),
  ...driveJobs(work.driveHealth),
  ...poolJobs(work.samples),
  ...vmJobs(work.vms.usageHistory, work.vms.removed),
  ...imageJobs(work.images),
  ...snapshotJobs(work.scheduler),
  ...notificationJobs(work.notifications),
  ...certificateJobs(work.certificate),
  ...configurationJobs(work.configuration),
  ...updateJobs(work.updates),
];

async function perform(job: Job, log: Logger): Promise<void> {
  try {
    await job.run();
  } catch (error) {
    log.error({ error, job: job.name }, 'job failed');
  }
}

/**
 * @returns a function that ends all jobs; resolves when none runs any more
 * @throws Error for a cron expression that is none
 */
export function startJobs(jobs: Job[], log: Logger): () => Promise<void> {
  const running = new Set<Promise<void>>();
  const tasks = jobs.map((job) =>
    cron.schedule(
      job.cron,
      async () => {
        const work = perform(job, log);
        running.add(work);
        await work;
        running.delete(work);
      },
      { name: job.name, noOverlap: true },
    ),
  );
  return async () => {
    await Promise.all(tasks.map((task) => task.destroy()));
    await Promise.all(running);
  };
}
