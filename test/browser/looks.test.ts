/** Every page in both themes and at phone width: readable by everybody (axe), nothing wider than the screen. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const GUID = crypto.randomUUID();
let appliance: Appliance;
let browser: Browser;
let operationId = '';

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 6 });
  await appliance.start();
  await appliance.setUp();
  const drives = appliance
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial LIMIT 2')
    .map(({ serial }) => ({ serial }));
  const begun = await appliance.rest('POST', '/pools', {
    poolGroupGuid: GUID,
    // It and its mount path are longer than a phone is wide.
    label: 'Family photos of all those years',
    plugin: 'btrfs',
    layout: 'raid1',
    drives,
  });
  expect(begun.status, JSON.stringify(begun.body)).toBe(202);
  while (appliance.query("SELECT 1 FROM pools WHERE state = 'ready'").length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  operationId =
    appliance.query<{ id: string }>("SELECT id FROM operations WHERE kind = 'pool.create'")[0]?.id ?? '';
  browser = await chromium.launch(CHROMIUM_OPTIONS);
});
afterAll(async () => {
  await (browser as Browser | undefined)?.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

const pages: [name: string, path: () => string][] = [
  ['overview', () => '/'],
  ['drives', () => '/drives'],
  ['pools', () => '/pools'],
  ['pool', () => `/pools/${GUID}`],
  ['new-pool', () => '/pools/new'],
  ['operations', () => '/operations'],
  ['operation', () => `/operations/${operationId}`],
  ['settings', () => '/settings'],
  ['alerts', () => '/alerts'],
];

async function open(colorScheme: 'dark' | 'light', width: number, path: string): Promise<Page> {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 860 },
    reducedMotion: 'reduce',
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const page = await context.newPage();
  await page.goto(`${appliance.url}${path}`);
  await page.locator('[data-testid=live-indicator][data-state=live]').first().waitFor({ state: 'attached' });
  return page;
}

describe.each(['light', 'dark'] as const)('in the %s theme', (scheme) => {
  it.each(pages)('the page "%s" has nothing that keeps anybody out', async (name, path) => {
    const page = await open(scheme, 1280, path());
    await page.screenshot({ path: join(shots, `${scheme}-${name}.png`) });
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });

  it.each(pages)('the page "%s" fits a phone of 390 pixels', async (name, path) => {
    const page = await open(scheme, 390, path());
    await page.screenshot({ path: join(shots, `${scheme}-phone-${name}.png`) });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });
});

describe('with the keyboard alone', () => {
  it('a pool is planned: drives chosen, named, and the plan opened', async () => {
    const page = await open('dark', 1280, '/pools/new');
    const focused = () =>
      page.evaluate(
        () =>
          document.activeElement?.getAttribute('data-testid') ??
          document.activeElement?.textContent?.trim() ??
          '',
      );
    const tabTo = async (wanted: (name: string) => boolean): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        if (wanted(await focused())) return;
      }
      throw new Error('the keyboard does not get there');
    };
    await tabTo((name) => name === 'drive-bay');
    await page.keyboard.press('Space');
    await page.getByLabel('Label', { exact: true }).focus();
    await page.keyboard.type('Keys');
    await tabTo((name) => name === 'Show the plan');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=plan-step]').first().waitFor();
    await page.context().close();
  });
});
