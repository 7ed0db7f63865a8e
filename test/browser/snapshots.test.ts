/** A person takes a snapshot, changes a file, goes back, and has snapshots taken by the clock. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const GUID = '7b1f0a52-3c1d-4e8a-9f60-0000000000b7';
let appliance: Appliance;
let browser: Browser;
let page: Page;
let at = '';

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 2 });
  await appliance.start();
  await appliance.setUp();
  const serials = appliance.query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1');
  await appliance.rest('POST', '/pools', {
    ...{ poolGroupGuid: GUID, label: 'Family photos', plugin: 'btrfs', layout: 'raid1' },
    drives: serials.map(({ serial }) => ({ serial })),
  });
  while (appliance.query("SELECT 1 FROM pools WHERE state = 'ready'").length === 0) await sleep(20);
  at = appliance.query<{ path: string }>('SELECT mount_path AS path FROM pools')[0]?.path ?? '';
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

const open = async (): Promise<void> => {
  await page.goto(`${appliance.url}/pools/${GUID}`);
  await page.getByTestId('snapshots').scrollIntoViewIfNeeded();
};
/** In both themes and at the width of a phone. */
async function shot(name: string): Promise<void> {
  for (const [theme, width] of [
    ['dark', 1280],
    ['light', 1280],
    ['dark', 390],
    ['light', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: width === 390 ? 844 : 1400 });
    await page.screenshot({ path: join(shots, `${name}-${theme}-${width}.png`), fullPage: true });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0);
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1280, height: 1400 });
}

describe('snapshots on the page of a pool', () => {
  it('say what to do when there is none', async () => {
    await open();
    expect(await page.getByTestId('snapshots-empty').innerText()).toContain('Take one before you change');
    await shot('snapshots-empty');
  });

  it('are taken, and appear with their name and who took them, without reloading', async () => {
    writeFileSync(join(at, 'letter'), 'first');
    await page.getByTestId('snapshot.take').click();
    await page.getByLabel('Name').fill('before the upgrade');
    await page.getByText('It will be called before-the-upgrade.').waitFor();
    await page.getByRole('button', { name: 'Take snapshot', exact: true }).click();
    const row = page.locator('[data-testid="snapshot"][data-name="before-the-upgrade"]');
    await row.waitFor();
    expect(await row.innerText()).toContain('Taken by admin');
  });

  it('show what is in them', async () => {
    mkdirSync(join(at, 'album'));
    writeFileSync(join(at, 'letter'), 'second');
    await page.getByTestId('snapshot.browse').click();
    await page.getByTestId('snapshot-files').getByText('letter').waitFor();
    expect(await page.getByTestId('snapshot-files').innerText()).not.toContain('album');
    await shot('snapshot-files');
    await page.getByRole('button', { name: 'Close' }).last().click();
  });

  it('are gone back to after the plan, and what was there is kept', async () => {
    await page.getByTestId('snapshot.roll-back').click();
    await page.locator('[data-testid="plan-step"][data-step="keep-state"]').waitFor();
    const text = await page.getByRole('dialog').innerText();
    expect(text).toContain('is kept whole as the snapshot');
    await shot('snapshot-roll-back');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.locator('[data-testid="operation-state"][data-state="succeeded"]').waitFor();
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('first');
    await open();
    await page.getByText('Kept when admin rolled back').waitFor();
    await shot('snapshots-list');
  });

  it('are protected, and not removed until they are no more', async () => {
    const row = page.locator('[data-testid="snapshot"][data-name="before-the-upgrade"]');
    await row.getByTestId('snapshot.protect').click();
    await row.getByText('· protected').waitFor();
    const remove = row.getByTestId('snapshot.delete');
    expect(await remove.getAttribute('aria-disabled')).toBe('true');
    await shot('snapshot-protected');
    await row.getByTestId('snapshot.protect').click();
    await row.getByText('· protected').waitFor({ state: 'detached' });
    expect(await remove.getAttribute('aria-disabled')).not.toBe('true');
  });

  it('are taken by the clock, in plain words, with the next runs and what stays shown before', async () => {
    await page.getByTestId('snapshot.schedule').click();
    const daily = page.getByTestId('tier-daily');
    await daily.getByLabel('Every day').check();
    await daily.getByLabel('At').fill('04:30');
    await daily.getByLabel('Keep the newest').fill('14');
    await daily.getByText('Every day at 04:30.').waitFor();
    expect(await daily.getByTestId('schedule-preview').innerText()).toContain('newest 14 are kept');
    await shot('snapshot-schedule');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByTestId('snapshot-schedules').getByText('Every day at 04:30 · keeps 14').waitFor();
  });

  it('are removed when that is confirmed, and only then', async () => {
    const row = page.locator('[data-testid="snapshot"][data-name="before-the-upgrade"]');
    await row.getByTestId('snapshot.delete').click();
    await page.getByText('What only the snapshot "before-the-upgrade" still has is lost.').waitFor();
    await shot('snapshot-remove');
    await page.getByRole('button', { name: 'Remove the snapshot' }).click();
    await row.waitFor({ state: 'detached' });
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('first');
  });
});
