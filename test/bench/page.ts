/** What a person sees: size and speed of the overview, and how soon a change on the machine is in the page. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM_OPTIONS } from '../support/browser.ts';
import { Appliance } from '../support/appliance.ts';
import { loopsBelow } from '../../src/cli/leftovers.ts';
import { figure, milliseconds, wallClock, type Row } from './measure.ts';
import { cpuSeconds, pssMegabytes } from './server.ts';

const IDLE_SECONDS = 60;

async function openPage(browser: Browser, appliance: Appliance, path: string): Promise<Page> {
  const context = await browser.newContext();
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const page = await context.newPage();
  await page.goto(`${appliance.url}${path}`);
  await page.locator('[data-testid=live-indicator][data-state=live]').first().waitFor();
  return page;
}

async function loadOverview(
  browser: Browser,
  appliance: Appliance,
): Promise<{ bytes: number; requests: number; usable: number }> {
  const context = await browser.newContext();
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const page = await context.newPage();
  let bytes = 0;
  let requests = 0;
  const pending: Promise<void>[] = [];
  page.on('response', (response) => {
    requests += 1;
    if (!response.url().endsWith('.js')) return;
    pending.push(response.body().then((body) => void (bytes += gzipSync(body).length)));
  });
  const begun = wallClock();
  await page.goto(`${appliance.url}/`);
  await page.locator('[data-testid=live-indicator][data-state=live]').first().waitFor();
  const usable = wallClock() - begun;
  await Promise.all(pending);
  await context.close();
  return { bytes, requests, usable };
}

/** Resolves in the page at the moment when `selector` matches (or no longer does). */
const appears = (page: Page, selector: string, there = true): Promise<number> =>
  page.evaluate(
    ([wanted, present]) =>
      new Promise<number>((resolve) => {
        const check = (): boolean => (document.querySelector(wanted) !== null) === present;
        const done = (): void => resolve(performance.timeOrigin + performance.now());
        if (check()) return done();
        const observer = new MutationObserver(() => {
          if (!check()) return;
          observer.disconnect();
          done();
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
      }),
    [selector, there] as const,
  );

function command(program: string, argv: string[]): number {
  const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}`);
  return wallClock();
}

async function driveLatency(browser: Browser, appliance: Appliance): Promise<Row> {
  const page = await openPage(browser, appliance, '/drives');
  const [loop] = loopsBelow(appliance.dataDir);
  if (!loop) throw new Error('no sandbox drive');
  const serial = basename(loop.file, '.img').toLowerCase();
  const bay = (group: string): string => `[data-drive-id*="${serial}"][data-group="${group}"]`;
  let device = loop.device;
  const times: number[] = [];
  const raw: number[] = [];
  for (let run = 0; run < 31; run += 1) {
    const gone = appears(page, bay('gone'));
    command('/usr/sbin/losetup', ['--detach', device]);
    await gone;
    await sleep(150);
    const back = appears(page, bay('free'));
    await sleep(20);
    const begun = wallClock();
    const attached = spawnSync('/usr/sbin/losetup', ['--find', '--show', loop.file], { encoding: 'utf8' });
    const ended = wallClock();
    raw.push(ended - begun);
    device = attached.stdout.trim();
    if (run > 0) times.push((await back) - ended);
    else await back;
    await sleep(150);
  }
  await page.context().close();
  const measured = figure(times);
  return {
    what: 'drive attached → in the page',
    measured: milliseconds(measured),
    raw: `${milliseconds(figure(raw))} losetup itself`,
    target: '25 / 60 ms',
    reached: measured.median <= 25 && measured.p95 <= 60,
  };
}

async function mountLatency(browser: Browser, appliance: Appliance): Promise<Row> {
  const guid = '7b1f0a52-3c1d-4e8a-9f60-000000000777';
  const drives = appliance
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial DESC LIMIT 1')
    .map((row) => ({ serial: row.serial }));
  await appliance.rest('POST', '/pools', {
    poolGroupGuid: guid,
    label: 'bench',
    plugin: 'single-drive',
    layout: 'single',
    drives,
    options: { partition: false },
  });
  const [row] = await (async () => {
    for (;;) {
      const rows = appliance.query<{ state: string; mount_path: string }>(
        'SELECT state, mount_path FROM pools WHERE guid = ?',
        guid,
      );
      if (rows[0]?.state === 'ready') return rows;
      await sleep(20);
    }
  })();
  const mountPath = row?.mount_path ?? '';
  const file = loopsBelow(appliance.dataDir).find(
    (loop) => basename(loop.file, '.img') === drives[0]?.serial,
  );
  const page = await openPage(browser, appliance, '/pools');
  const card = (mounted: boolean): string =>
    `[data-testid=pool-card][data-guid="${guid}"][data-mounted="${mounted}"]`;
  const times: number[] = [];
  const raw: number[] = [];
  for (let run = 0; run < 31; run += 1) {
    const away = appears(page, card(false));
    command('/usr/bin/umount', [mountPath]);
    await away;
    await sleep(150);
    const back = appears(page, card(true));
    await sleep(20);
    const begun = wallClock();
    const ended = command('/usr/bin/mount', ['-t', 'ext4', file?.device ?? '', mountPath]);
    raw.push(ended - begun);
    if (run > 0) times.push((await back) - ended);
    else await back;
    await sleep(150);
  }
  await page.context().close();
  const measured = figure(times);
  return {
    what: 'mounted → in the page',
    measured: milliseconds(measured),
    raw: `${milliseconds(figure(raw))} mount itself`,
    target: '15 / 40 ms',
    reached: measured.median <= 15 && measured.p95 <= 40,
  };
}

async function idle(browser: Browser, appliance: Appliance): Promise<Row[]> {
  const page = await openPage(browser, appliance, '/');
  await sleep(3_000);
  const before = cpuSeconds(appliance.pid);
  await sleep(IDLE_SECONDS * 1_000);
  const share = ((cpuSeconds(appliance.pid) - before) / IDLE_SECONDS) * 100;
  const megabytes = pssMegabytes(appliance.pid);
  await page.context().close();
  return [
    {
      what: 'idle memory with a page open (PSS, children too)',
      measured: `${megabytes.toFixed(0)} MB`,
      raw: '',
      target: '100 MB',
      reached: megabytes <= 100,
    },
    {
      what: `idle CPU over ${IDLE_SECONDS} s with a page open`,
      measured: `${share.toFixed(2)} % of a core`,
      raw: '',
      target: '0.2 %',
      reached: share <= 0.2,
    },
  ];
}

export async function pageRows(): Promise<Row[]> {
  const appliance = new Appliance({ drives: 6 });
  const browser = await chromium.launch(CHROMIUM_OPTIONS);
  mkdirSync(join(appliance.dataDir, 'sandbox'), { recursive: true });
  try {
    await appliance.start();
    await appliance.setUp();
    const loads: Awaited<ReturnType<typeof loadOverview>>[] = [];
    for (let run = 0; run < 8; run += 1) loads.push(await loadOverview(browser, appliance));
    const counted = loads.slice(1);
    const usable = figure(counted.map((load) => load.usable));
    const kilobytes = (counted[0]?.bytes ?? 0) / 1024;
    return [
      {
        what: 'overview: first-load JS',
        measured: `${kilobytes.toFixed(0)} KB gz, ${counted[0]?.requests} requests`,
        raw: '',
        target: '110 KB',
        reached: kilobytes <= 110,
      },
      {
        what: 'overview: usable in Chromium',
        measured: milliseconds(usable),
        raw: '',
        target: '600 ms',
        reached: usable.median <= 600,
      },
      await driveLatency(browser, appliance),
      await mountLatency(browser, appliance),
      ...(await idle(browser, appliance)),
    ];
  } finally {
    await browser.close();
    await appliance.remove();
  }
}
