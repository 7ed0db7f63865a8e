/** "Which one do I pull": the whole way in the browser, with sandbox drives that are really pulled and plugged in. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const GUID = crypto.randomUUID();
let appliance: Appliance;
let browser: Browser;
/** The person's desk, and the phone in his hand at the machine. */
let desk: Page;
let phone: Page;
let serials: string[] = [];

async function open(colorScheme: 'dark' | 'light', width: number): Promise<Page> {
  const context = await browser.newContext({
    ...{ colorScheme, viewport: { width, height: width < 500 ? 844 : 900 }, reducedMotion: 'reduce' },
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 3 });
  await appliance.start();
  await appliance.setUp();
  serials = appliance
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial')
    .map(({ serial }) => serial);
  await appliance.rest('POST', '/pools', {
    ...{ poolGroupGuid: GUID, label: 'Family photos', plugin: 'btrfs', layout: 'raid1' },
    drives: serials.slice(0, 2).map((serial) => ({ serial })),
  });
  while (appliance.query("SELECT 1 FROM pools WHERE state = 'ready'").length === 0) await sleep(20);
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  desk = await open('dark', 1280);
  phone = await open('light', 390);
});
afterAll(async () => {
  await browser.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

const fileOf = (serial: string): string => join(appliance.dataDir, 'sandbox', `${serial}.img`);
function pull(serial: string): void {
  const loop = loopsBelow(appliance.dataDir).find(({ file }) => file.endsWith(`${serial}.img`));
  execFileSync('/usr/sbin/losetup', ['--detach', loop?.device ?? '']);
}
const plug = (serial: string): string =>
  execFileSync('/usr/sbin/losetup', ['--find', '--show', '--partscan', '--', fileOf(serial)], {
    encoding: 'utf8',
  });
/** The kernel keeps a loop drive that is mounted; a real one goes whatever is mounted. */
async function poolIs(mounted: boolean): Promise<void> {
  const { status } = await appliance.rest('POST', `/pools/${GUID}/${mounted ? 'mount' : 'unmount'}`);
  expect(status).toBeLessThan(300);
  while (appliance.query("SELECT 1 FROM operations WHERE state = 'running'").length > 0) await sleep(20);
}
const step = (page: Page, name: string): Promise<void> =>
  page.locator(`[data-testid=guide][data-step=${name}]`).waitFor();
async function look(name: string): Promise<void> {
  for (const [page, where] of [
    [desk, 'dark'],
    [phone, 'light-phone'],
  ] as const) {
    await page.screenshot({ path: join(shots, `${where}-replace-${name}.png`), fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
  }
  expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
}

describe('a drive is replaced step by step', () => {
  it('begins at the page of the pool, and tells what is known about each drive', async () => {
    await desk.goto(`${appliance.url}/pools/${GUID}`);
    await desk.getByTestId('pool.replace-guided').click();
    await step(desk, 'choose');
    expect(await desk.getByTestId('suspect').count()).toBe(2);
    await phone.goto(`${appliance.url}/pools/${GUID}/replace`);
    await step(phone, 'choose');
    await look('choose');
    await desk.locator('[data-testid=suspect][data-slot="1"]').getByRole('button').click();
    await step(phone, 'insert');
    await desk.getByLabel('Every place is taken').click();
    await step(desk, 'pull');
  });

  it('is where it was after Cairn was killed, in every browser', async () => {
    await appliance.kill('SIGKILL');
    await appliance.start();
    await desk.reload();
    await step(desk, 'pull');
    await phone.goto(`${appliance.url}/pools/${GUID}/replace`);
    await step(phone, 'pull');
    expect(await phone.getByTestId('identified-by').innerText()).toContain('no light of its own');
    await look('pull');
  });

  it('shouts on the phone at once when the wrong drive is pulled, and falls silent when it is back', async () => {
    await poolIs(false);
    pull(serials[0] ?? '');
    for (const page of [desk, phone]) {
      const shout = page.getByTestId('wrong-pull');
      await shout.waitFor({ timeout: 5_000 });
      expect(await shout.innerText()).toContain(`That was ${serials[0]}`);
      expect(await shout.getAttribute('data-severity')).toBe('critical');
    }
    await look('wrong-pull');
    plug(serials[0] ?? '');
    await desk.getByTestId('wrong-pull').waitFor({ state: 'detached' });
  });

  it('sees the right one go and the new one come, and checks it', async () => {
    pull(serials[1] ?? '');
    await step(desk, 'insert');
    await poolIs(true);
    const { body } = await appliance.trpc('drives.addSandbox', { count: 1, sizeBytes: 512 * 1024 ** 2 });
    expect(body).toMatchObject({ kind: 'sandbox.create-drives' });
    const fresh = desk.locator('[data-testid=newcomer][data-new=true]');
    await fresh.waitFor();
    await expect.poll(() => fresh.innerText()).toContain('Nothing is on it.');
    expect(await fresh.innerText()).toContain('Large enough');
    await look('insert');
    await fresh.getByRole('button', { name: 'Take this one' }).click();
    await step(phone, 'plan');
    await desk.locator('[data-testid=plan-step][data-step=rebuild]').waitFor();
    await phone.locator('[data-testid=plan-step][data-step=rebuild]').waitFor();
    await look('plan');
  });

  it('rebuilds, and offers the old drive for no other pool until it is released', async () => {
    await desk.getByRole('button', { name: 'Begin the rebuild' }).click();
    await step(desk, 'done');
    await step(phone, 'done');
    for (const page of [desk, phone])
      expect(await page.getByTestId('guide').getByRole('alert').allInnerTexts()).toEqual([]);
    await look('done');
    const members = appliance
      .query<{ serial: string }>('SELECT serial FROM pool_drives ORDER BY slot')
      .map(({ serial }) => serial);
    expect(members[0]).toBe(serials[0]);
    expect(members).not.toContain(serials[1]);
    plug(serials[1] ?? '');
    await desk.goto(`${appliance.url}/drives?drive=drive-${(serials[1] ?? '').toLowerCase()}`);
    await desk
      .getByText(/was set aside/)
      .first()
      .waitFor();
    await desk.getByText('Not offered for a pool until somebody releases them').waitFor();
    await desk.screenshot({ path: join(shots, 'dark-replace-set-aside.png') });
    await desk.getByRole('button', { name: 'Release' }).click();
    await desk
      .getByText(/was set aside/)
      .first()
      .waitFor({ state: 'detached' });
    await phone.getByTestId('guide').getByRole('button', { name: 'Close' }).click();
    await phone.waitForURL(`${appliance.url}/pools/${GUID}`);
  });
});
