/** A pool loses a drive while somebody looks: what they see, on every page, until it is whole again. */
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
let browser: Browser | undefined;
let page: Page;
let serial = '';

async function open(colorScheme: 'dark' | 'light', width: number, path: string): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 860 },
    reducedMotion: 'reduce',
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const opened = await context.newPage();
  await opened.goto(`${appliance.url}${path}`);
  await opened
    .locator('[data-testid=live-indicator][data-state=live]')
    .first()
    .waitFor({ state: 'attached' });
  return opened;
}
const bell = (of: Page) => of.locator('[data-testid=alert-bell]');
const alertOf = (of: Page, kind: string) => of.locator(`[data-testid=alert][data-kind="${kind}"]`);

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 2 });
  await appliance.start();
  await appliance.setUp();
  const drives = appliance
    .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial')
    .map((row) => ({ serial: row.serial }));
  serial = drives[1]?.serial ?? '';
  const asked = await appliance.rest<{ operationId: string }>('POST', '/pools', {
    ...{ poolGroupGuid: GUID, label: 'Family photos', plugin: 'btrfs', layout: 'raid1', drives },
  });
  let state = asked.status === 202 ? 'running' : `refused: ${JSON.stringify(asked.body)}`;
  while (state === 'running' || state === 'undoing') {
    await sleep(50);
    const { body } = await appliance.rest<{ state: string }>('GET', `/operations/${asked.body.operationId}`);
    state = body.state;
  }
  if (state !== 'succeeded') throw new Error(`the pool was not made: ${state}`);
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open('light', 1280, '/');
});
afterAll(async () => {
  await browser?.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

describe('a pool that loses a drive', () => {
  it('calls on whatever page is open, and names the drive by its serial', async () => {
    await expect.poll(() => bell(page).getAttribute('aria-label')).toBe('No alerts');
    const [row] = appliance.query<{ mount_path: string }>('SELECT mount_path FROM pools');
    execFileSync('/usr/bin/umount', ['--', row?.mount_path ?? '']);
    const loop = loopsBelow(appliance.dataDir).find(({ file }) => file.includes(serial));
    execFileSync('/usr/sbin/losetup', ['--detach', loop?.device ?? '']);
    await page.locator('[data-sonner-toast]').first().waitFor();
    await expect.poll(() => bell(page).getAttribute('aria-label')).toMatch(/not seen/);
    await page.getByRole('heading', { level: 1, name: /more alert/ }).waitFor();
    await page.screenshot({ path: join(shots, 'alerts-overview.png') });
    await page.getByRole('link', { name: 'Show the alerts' }).click();
    await alertOf(page, 'pool.degraded').getByText(`drive ${serial} is missing`).waitFor();
    await alertOf(page, 'pool.degraded').getByText('Family photos').first().waitFor();
    await alertOf(page, 'pool.not-mounted').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'can be read by everybody in the %s theme, also on a phone',
    async (scheme) => {
      for (const [name, path] of [
        ['alerts', '/alerts'],
        ['pool', `/pools/${GUID}`],
        ['overview', '/'],
      ] as const)
        for (const width of scheme === 'light' ? [1280, 390] : [390]) {
          const looked = await open(scheme, width, path);
          await looked.screenshot({
            path: join(shots, `${scheme}-${width}-trouble-${name}.png`),
            fullPage: true,
          });
          expect(await seriousFindings(looked)).toEqual([]);
          expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
            width,
          );
          await looked.context().close();
        }
    },
  );

  it('stays when somebody has seen it, and says who, also after a restart', async () => {
    await alertOf(page, 'pool.degraded').getByRole('button', { name: 'Acknowledge' }).click();
    await alertOf(page, 'pool.degraded').getByText('seen by admin').waitFor();
    const { body } = await appliance.rest<{ open: { kind: string; raisedAt: number }[] }>('GET', '/alerts');
    const raisedAt = (kind: string) => body.open.find((alert) => alert.kind === kind)?.raisedAt;
    expect(raisedAt('pool.degraded')).toBeGreaterThan(0);
    await appliance.kill('SIGTERM');
    await appliance.start();
    await page
      .locator('[data-testid=live-indicator][data-state=live]')
      .first()
      .waitFor({ state: 'attached' });
    // A restart attaches every sandbox drive again: the pool is whole, and what was wrong is over.
    await expect.poll(() => bell(page).getAttribute('aria-label'), { timeout: 20_000 }).toBe('No alerts');
    await page.getByText('Nothing is wrong').waitFor();
    const over = page.locator('section', { hasText: 'Over' });
    await over.getByText(`drive ${serial} is missing`).waitFor();
    await over
      .getByText(/held for/)
      .first()
      .waitFor();
    await page.screenshot({ path: join(shots, 'alerts-over.png') });
  });
});
