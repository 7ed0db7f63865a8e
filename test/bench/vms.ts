/** The list of machines with 1, 100 and 300 domains: how soon it can be used, what it costs, and how soon it tells of a change. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Appliance } from '../support/appliance.ts';
import { CHROMIUM_OPTIONS } from '../support/browser.ts';
import {
  deleteForGood,
  MIB,
  microRequest,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines.ts';
import { fillWith } from '../support/many-machines.ts';
import type { PrivateLibvirt } from '../support/private-libvirt.ts';
import { figure, milliseconds, wallClock, type Row } from './measure.ts';
import { cpuSeconds } from './server.ts';

const CHANGES = 25;
/** By number of domains. Milliseconds: until it can be used; median and 95th percentile of a change. */
const TARGETS: Record<number, { usable: number; median?: number; p95?: number }> = {
  1: { usable: 600, median: 8, p95: 25 },
  100: { usable: 700 },
  300: { usable: 1_000, median: 12, p95: 40 },
};
const MOST_BYTES = 150 * 1024;
const MOST_CPU_MS = 200;

async function open(browser: Browser, appliance: Appliance): Promise<Page> {
  const context = await browser.newContext();
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  return context.newPage();
}
/** Live, and every machine in its row. */
async function isUsable(page: Page, appliance: Appliance, count: number): Promise<void> {
  await page.goto(`${appliance.url}/vms`);
  await page.locator('[data-testid=live-indicator][data-state=live]').first().waitFor();
  await page.waitForFunction(
    (wanted) => document.querySelectorAll('[data-testid=vm-row]').length === wanted,
    count,
  );
}

async function loads(browser: Browser, appliance: Appliance, count: number): Promise<Row[]> {
  const usable: number[] = [];
  const cpu: number[] = [];
  let bytes = 0;
  let requests = 0;
  for (let run = 0; run < 8; run += 1) {
    const page = await open(browser, appliance);
    const pending: Promise<void>[] = [];
    bytes = 0;
    requests = 0;
    page.on('response', (response) => {
      requests += 1;
      pending.push(response.body().then((body) => void (bytes += gzipSync(body).length)));
    });
    const before = cpuSeconds(appliance.pid);
    const begun = wallClock();
    await isUsable(page, appliance, count);
    if (run > 0) usable.push(wallClock() - begun);
    await Promise.all(pending);
    if (run > 0) cpu.push((cpuSeconds(appliance.pid) - before) * 1_000);
    await page.context().close();
  }
  const [time, cost] = [figure(usable), figure(cpu)];
  const target = TARGETS[count]?.usable ?? 0;
  return [
    {
      what: `machines, ${count}: usable in Chromium`,
      measured: milliseconds(time),
      raw: '',
      target: `${target} ms`,
      reached: time.median <= target,
    },
    {
      what: `machines, ${count}: first load`,
      measured: `${(bytes / 1024).toFixed(0)} KB gz, ${requests} requests`,
      raw: '',
      target: '150 KB',
      reached: bytes <= MOST_BYTES,
    },
    {
      what: `machines, ${count}: server CPU of a load`,
      measured: milliseconds(cost),
      raw: '',
      target: `${MOST_CPU_MS} ms`,
      reached: cost.median <= MOST_CPU_MS,
    },
  ];
}

/** Moments at which libvirt told of a machine, as soon as anybody could hear it. */
function listen(libvirt: PrivateLibvirt): { child: ChildProcess; told: { text: string; at: number }[] } {
  const [nsenter = '', ...words] = libvirt.enter();
  const virsh = ['/usr/bin/stdbuf', '-oL', '/usr/bin/virsh', '-q', '-c', 'qemu:///system'];
  const child = spawn(nsenter, [...words, ...virsh, 'event', '--event', 'lifecycle', '--loop'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const told: { text: string; at: number }[] = [];
  child.stdout.on('data', (chunk: Buffer) => told.push({ text: chunk.toString(), at: wallClock() }));
  return { child, told };
}

/** Resolves with the moment at which the row shows the state. */
const shows = (page: Page, id: string, state: string): Promise<number> =>
  page.evaluate(
    ([link, wanted]) =>
      new Promise<number>((resolve) => {
        const row = document.querySelector(`a[href="${link}"]`)?.closest('[data-testid=vm-row]');
        const isSo = (): boolean => row?.getAttribute('data-state') === wanted;
        const done = (): void => resolve(performance.timeOrigin + performance.now());
        if (isSo()) return done();
        const observer = new MutationObserver(() => {
          if (!isSo()) return;
          observer.disconnect();
          done();
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
      }),
    [`/vms/${id}`, state] as const,
  );

async function changes(browser: Browser, machines: Machines, count: number): Promise<Row[]> {
  const target = TARGETS[count];
  const { appliance, libvirt } = machines;
  if (target?.median === undefined || target.p95 === undefined) return [];
  const { id = '' } = (await vmNamed(appliance, 'web')) ?? {};
  const page = await open(browser, appliance);
  await isUsable(page, appliance, count);
  const { child, told } = listen(libvirt);
  await sleep(1_000);
  const times: number[] = [];
  try {
    libvirt.virsh('destroy', 'web');
    await shows(page, id, 'stopped');
    while (times.length < CHANGES)
      for (const [verb, word, state] of [
        ['start', 'Started', 'running'],
        ['destroy', 'Stopped', 'stopped'],
      ] as const) {
        told.length = 0;
        const shown = shows(page, id, state);
        await sleep(100);
        const [nsenter = '', ...words] = libvirt.enter();
        // Not waited for: what is heard meanwhile is noted when it comes.
        spawn(nsenter, [...words, '/usr/bin/virsh', '-q', '-c', 'qemu:///system', verb, 'web'], {
          stdio: 'ignore',
        });
        const at = await shown;
        while (!told.some(({ text }) => text.includes(word))) await sleep(5);
        times.push(at - (told.find(({ text }) => text.includes(word))?.at ?? Number.NaN));
        await sleep(400);
      }
  } finally {
    child.kill('SIGKILL');
    await page.context().close();
  }
  const measured = figure(times);
  return [
    {
      what: `machines, ${count}: libvirt's event → in the page`,
      measured: milliseconds(measured),
      raw: `${times.length} changes`,
      target: `${target.median} / ${target.p95} ms`,
      reached: measured.median <= target.median && measured.p95 <= target.p95,
    },
  ];
}

/** A machine above an image, made and started, and the same by hand. */
async function creation({ appliance, libvirt, imageId }: Machines): Promise<Row> {
  const cairn: number[] = [];
  const raw: number[] = [];
  const folder = join(appliance.dataDir, 'mnt/tank/raw');
  mkdirSync(folder, { recursive: true });
  const [image] = appliance.query<{ file: string }>('SELECT file FROM images');
  for (let run = 0; run < 9; run += 1) {
    const name = `made-${run}`;
    const begun = wallClock();
    const asked = await appliance.rest<{ vmId: string }>('POST', '/vms', microRequest(imageId, { name }));
    // Told by the appliance itself: asking again and again would be a part of what is measured.
    const told = await fetch(`${appliance.url}/api/v1/vms/${asked.body.vmId}/wait`, {
      headers: { 'x-api-key': appliance.apiKey },
    });
    await told.text();
    const took = wallClock() - begun;
    await mustSucceed(appliance, asked);
    const definition = libvirt.virsh('dumpxml', '--inactive', name).stdout;
    libvirt.virsh('destroy', name);
    libvirt.virsh('undefine', name);
    const disk = join(folder, `${run}.qcow2`);
    const own = join(folder, `${run}.xml`);
    const backing = join(appliance.dataDir, 'mnt/tank/images', image?.file.split('/').at(-1) ?? '');
    writeFileSync(own, definition.replace(/<source file='[^']*disk\.qcow2'\/>/, `<source file='${disk}'/>`));
    const begunRaw = wallClock();
    const made = spawnSync('/usr/bin/qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-b', backing, '-F', 'raw', disk, String(10 * MIB)],
    ]);
    if (made.status !== 0) throw new Error(String(made.stderr));
    for (const words of [
      ['define', own],
      ['start', name],
    ])
      if (libvirt.virsh(...words).status !== 0) throw new Error(`virsh ${words.join(' ')} failed`);
    const tookRaw = wallClock() - begunRaw;
    libvirt.virsh('destroy', name);
    libvirt.virsh('undefine', name);
    // The list is measured without it.
    await deleteForGood(appliance, (await vmNamed(appliance, name))?.id ?? '');
    await sleep(500);
    if (run === 0) continue;
    cairn.push(took);
    raw.push(tookRaw);
  }
  const beyond = figure(cairn.map((took, run) => took - (raw[run] ?? 0)));
  return {
    what: 'creation of a machine beyond the raw commands',
    measured: milliseconds(beyond),
    raw: `${milliseconds(figure(raw))} commands, ${milliseconds(figure(cairn))} Cairn`,
    target: '250 ms',
    reached: beyond.median <= 250,
  };
}

export async function vmRows(): Promise<Row[]> {
  const machines = await startMachines();
  const browser = await chromium.launch(CHROMIUM_OPTIONS);
  try {
    const rows: Row[] = [];
    await mustSucceed(
      machines.appliance,
      await machines.appliance.rest('POST', '/vms', microRequest(machines.imageId)),
    );
    // Before the others have been promised all the room of the pool.
    rows.push(await creation(machines));
    let there = 1;
    for (const count of [1, 100, 300]) {
      if (count > there) await fillWith(machines, there, count);
      there = count;
      rows.push(...(await loads(browser, machines.appliance, count)));
      rows.push(...(await changes(browser, machines, count)));
    }
    return rows;
  } finally {
    await browser.close();
    await machines.close();
  }
}
