/** The whole way of a new user, in Chromium, against the real server on real (loop) drives. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, Appliance } from '../support/appliance';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
let appliance: Appliance;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const errors: string[] = [];

/** The pages follow the machine by push: a request that repeats itself is a defect. */
const requests: string[] = [];

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  appliance = new Appliance({ drives: 6 });
  await appliance.start();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
});
afterAll(async () => {
  await browser.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

const shot = (name: string, of: Page = page) => of.screenshot({ path: join(shots, `${name}.png`) });
const url = (path: string): string => `${appliance.url}${path}`;
const live = (of: Page) => of.locator('[data-testid=live-indicator][data-state=live]').first().waitFor();
const card = (of: Page, label: string) => of.locator('[data-testid=pool-card]').filter({ hasText: label });
const freeBays = (of: Page) => of.locator('[data-testid=drive-bay][data-group=free]');

async function newPool(options: {
  label: string;
  drives: number;
  plugin?: RegExp;
  hold?: string;
}): Promise<void> {
  appliance.crashAt(options.hold ?? '');
  await page.goto(url('/pools/new'));
  await live(page);
  for (let index = 0; index < options.drives; index += 1) await freeBays(page).nth(index).click();
  if (options.plugin) await page.getByRole('radio', { name: options.plugin }).check({ force: true });
  await page.getByLabel('Label', { exact: true }).fill(options.label);
  await page.getByRole('button', { name: 'Show the plan' }).click();
  await page.locator('[data-testid=plan-step]').first().waitFor();
}
const create = () => page.getByRole('button', { name: 'Create pool' }).click();

describe('a new user', () => {
  it('is led to set-up, told when the first-run code is wrong, and let in with the right one', async () => {
    await page.goto(url('/'));
    await page.waitForURL(/\/setup/);
    await shot('01-setup');
    await page.getByLabel('First-run code').fill('WRNG-CODE-0000');
    await page.getByLabel('User name').fill(ADMIN.username);
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page
      .getByText(/first-run code is wrong/i)
      .first()
      .waitFor();
    await page.getByLabel('First-run code').fill(appliance.code);
    await page.getByRole('button', { name: 'Create account' }).click();
    await live(page);
    await shot('02-overview-empty');
  });

  it('signs out and in again', async () => {
    await context.clearCookies();
    await page.goto(url('/pools'));
    await page.waitForURL(/\/login/);
    await page.getByLabel('User name').fill(ADMIN.username);
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await live(page);
  });

  it('sees six free sandbox drives, and that the real ones are locked', async () => {
    await page.goto(url('/drives'));
    await live(page);
    await expect.poll(() => freeBays(page).count()).toBe(6);
    expect(await page.locator('[data-testid=drive-bay][data-group=protected]').count()).toBeGreaterThan(0);
    await shot('03-drives');
  });

  it('sees the exact commands and serials before a mirror is made, and watches it being made', async () => {
    await newPool({
      label: 'Photos',
      drives: 2,
      plugin: /btrfs Mirror \(raid1\)/,
      hold: 'done@pool.create/make-filesystem:wait-1500',
    });
    const plan = await page.locator('[data-testid=plan-step]').allInnerTexts();
    expect(plan.join('\n')).toMatch(/mkfs\.btrfs .*-d raid1 .*\/dev\/loop\d+ \/dev\/loop\d+/);
    await shot('04-plan');
    await create();
    await page.waitForURL(/\/operations\//);
    await page.locator('[data-testid=step-row][data-step=make-filesystem][data-state=done]').waitFor();
    await shot('05-creating');
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    await page.locator('[data-step=make-filesystem] button').first().click();
    await page.getByText('btrfs-progs').first().waitFor();
    await shot('06-created');
    await page.goto(url('/pools'));
    await card(page, 'Photos').and(page.locator('[data-state=ready][data-mounted=true]')).waitFor();
    await shot('07-pools');
  });

  it('sees in a second tab, within a second, what the first one does', async () => {
    const second = await context.newPage();
    await second.goto(url('/pools'));
    await live(second);
    await newPool({ label: 'Films', drives: 1 });
    await create();
    const clicked = Date.now();
    await card(second, 'Films').waitFor();
    expect(Date.now() - clicked).toBeLessThan(1_000);
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    await card(second, 'Films').and(second.locator('[data-state=ready]')).waitFor({ timeout: 1_000 });
    await second.close();
  });

  it('cancels a creation half way, and finds its drive free again', async () => {
    await newPool({ label: 'Mistake', drives: 1, hold: 'done@pool.create/make-filesystem:wait-30000' });
    await create();
    await page.locator('[data-step=make-filesystem][data-state=done]').waitFor();
    await page
      .getByRole('button', { name: /^Cancel/ })
      .first()
      .click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: /cancel|take/i });
    if (
      await confirm
        .first()
        .isVisible()
        .catch(() => false)
    )
      await confirm.first().click();
    await page.locator('[data-testid=operation-state][data-state=cancelled]').waitFor();
    await shot('08-cancelled');
    appliance.crashAt('');
    await page.goto(url('/pools'));
    await live(page);
    expect(await card(page, 'Mistake').count()).toBe(0);
    await page.goto(url('/drives'));
    await expect.poll(() => freeBays(page).count()).toBe(3);
  });

  it('keeps the page open while the server is killed: it connects again by itself and shows the verdict', async () => {
    await newPool({ label: 'Backup', drives: 2, hold: 'done@pool.create/make-filesystem:wait-60000' });
    await create();
    await page.locator('[data-step=make-filesystem][data-state=done]').waitFor();
    await appliance.kill('SIGKILL');
    await page.locator('[data-testid=live-indicator][data-state=stale]').first().waitFor();
    await shot('09-stale');
    appliance.crashAt('');
    await appliance.start();
    await live(page);
    const verdict = page.locator('[data-testid=verdict]');
    await verdict.waitFor();
    expect(await verdict.innerText()).toMatch(/taken back/i);
    await page.locator('[data-testid=operation-state][data-state=failed]').waitFor();
    await shot('10-verdict');
  });

  it('tries it again with one click', async () => {
    await page
      .getByRole('button', { name: /^(Retry|Try again)/ })
      .first()
      .click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    await page.goto(url('/pools'));
    await card(page, 'Backup').and(page.locator('[data-state=ready]')).waitFor();
  });

  it('removes a pool only after typing its name, and its drives are free', async () => {
    await page.goto(url('/pools'));
    await live(page);
    await page.getByRole('button', { name: 'Remove Photos' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('[data-testid=plan-step]').first().waitFor();
    await shot('11-remove');
    const remove = dialog.getByRole('button', { name: 'Remove pool' });
    expect((await remove.getAttribute('aria-disabled')) ?? (await remove.isDisabled())).toBeTruthy();
    await dialog.getByLabel(/^Type .* to confirm$/).fill('Photos');
    await remove.click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    await page.goto(url('/pools'));
    await live(page);
    expect(await card(page, 'Photos').count()).toBe(0);
  });

  it('has to type a word before content of a used drive is erased, and sees what is lost', async () => {
    // Somebody put a filesystem on the drive from a shell.
    const [free] = appliance.query<{ serial: string }>(
      'SELECT serial FROM drives WHERE sandbox = 1 AND id NOT IN (SELECT drive_id FROM pool_drives) ORDER BY serial LIMIT 1',
    );
    const { loopsBelow } = await import('../../src/cli/leftovers');
    const { spawnSync } = await import('node:child_process');
    const device =
      loopsBelow(appliance.dataDir).find((loop) => loop.file.includes(free?.serial ?? '?'))?.device ?? '';
    expect(spawnSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', 'letters', device]).status).toBe(0);
    appliance.cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    expect(await appliance.trpc('drives.refresh', {})).toMatchObject({ status: 200 });
    await page.goto(url('/pools/new'));
    await live(page);
    await page.locator(`[data-testid=drive-bay][data-drive-id*="${free?.serial.toLowerCase()}"]`).click();
    await page.getByLabel('Label', { exact: true }).fill('Letters');
    await page.getByRole('button', { name: 'Show the plan' }).click();
    await page
      .getByText(/letters/)
      .first()
      .waitFor();
    await shot('12-erase');
    const start = page.getByRole('button', { name: 'Erase and create pool' });
    await page.getByLabel(/^Type .* to confirm$/).waitFor();
    const word =
      /^Type (.*) to confirm$/.exec(
        (await page.locator('label', { hasText: /^Type/ }).first().innerText()).trim(),
      )?.[1] ?? '';
    await page.getByLabel(/^Type .* to confirm$/).fill(word);
    await start.click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
  });

  it('is safe from script that somebody gets into a page: the browser does not run it', async () => {
    const other = await context.newPage();
    await other.goto(url('/'));
    await live(other);
    const ran = await other.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.intruder = true';
      document.body.append(script);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return 'intruder' in window;
    });
    expect(ran).toBe(false);
    await other.close();
  });

  it('met no script error on the way, and no page that polls', async () => {
    expect(errors).toEqual([]);
    requests.length = 0;
    await page.goto(url('/'));
    await live(page);
    const loaded = requests.length;
    await page.waitForTimeout(6_000);
    expect(requests.slice(loaded)).toEqual([]);
  });
});
