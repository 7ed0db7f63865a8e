/** Changes of a pool by hand in the browser: choose, read the plan, confirm, and see the pool afterwards. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const GUID = crypto.randomUUID();
let appliance: Appliance;
let browser: Browser;
let page: Page;
let serials: string[] = [];

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 5 });
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
  const context = await browser.newContext({
    viewport: { width: 1280, height: 1400 },
    reducedMotion: 'reduce',
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
});
afterAll(async () => {
  await browser.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

const shot = (name: string): Promise<unknown> =>
  page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const members = (): string[] =>
  appliance
    .query<{ serial: string }>('SELECT serial FROM pool_drives ORDER BY slot')
    .map(({ serial }) => serial);
async function open(): Promise<void> {
  await page.goto(`${appliance.url}/pools/${GUID}`);
  await page.getByTestId('pool.expand').waitFor();
}
const succeeded = (): Promise<void> =>
  page.locator('[data-testid="operation-state"][data-state="succeeded"]').waitFor();

describe('the page of a pool', () => {
  it('tells of every change what it is good for, or why it cannot be done', async () => {
    await open();
    const text = await page.locator('main').innerText();
    expect(text).toContain('More drives join the pool');
    expect(text).toContain('needs at least 2 drives');
    await shot('pool-changes');
  });

  it('replaces a drive by another, after the plan was shown', async () => {
    await open();
    await page.getByTestId('pool.replace').click();
    await page.getByLabel('Drive that is replaced').selectOption('1');
    await page.getByRole('checkbox', { name: serials[2] }).check();
    await shot('replace-choose');
    await page.getByRole('button', { name: 'Show the plan' }).click();
    await page.locator('[data-testid="plan-step"][data-step="rebuild"]').waitFor();
    await shot('replace-plan');
    await page.getByRole('button', { name: 'Replace the drive' }).click();
    await succeeded();
    expect(members()).toEqual([serials[0], serials[2]]);
  });

  it('says what one more drive brings, and takes it', async () => {
    await open();
    await page.getByTestId('pool.expand').click();
    await page.getByTestId('capacity-hint').waitFor();
    expect(await page.getByTestId('capacity-hint').innerText()).toContain('instead of');
    await page.getByRole('checkbox', { name: serials[3] }).check();
    await shot('expand-choose');
    await page.getByRole('button', { name: 'Show the plan' }).click();
    await page.getByRole('button', { name: 'Expand the pool' }).click();
    await succeeded();
    expect(members()).toEqual([serials[0], serials[2], serials[3]]);
  });

  it('scrubs, and tells how that ended', async () => {
    await open();
    await page.getByTestId('pool.start-scrub').click();
    await page.getByTestId('last-scrub').waitFor();
    expect(await page.getByTestId('last-scrub').innerText()).toContain('found nothing damaged');
    await page.setViewportSize({ width: 390, height: 844 });
    await shot('pool-changes-phone');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1280, height: 1400 });
  });

  it('releases the pool, and keeps what is on its drives', async () => {
    await open();
    await page.getByTestId('pool.release').click();
    await page.getByRole('button', { name: 'Release the pool' }).click();
    await succeeded();
    expect(members()).toEqual([]);
  });
});
