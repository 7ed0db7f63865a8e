/** A pool on another machine, from its form to its removal: no drive is chosen, and its server goes and comes back. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { openPage, shoot, SHOTS } from '../support/pages';
import { trustPlugin, writePlugin } from '../support/trust-plugins';

const FIXTURE = fileURLToPath(new URL('../fixtures/plugins/elsewhere', import.meta.url));
const before = traces();
let appliance: Appliance;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  appliance = new Appliance({ drives: 1 });
  await trustPlugin(FIXTURE, join(appliance.dataDir, 'plugins'), 'elsewhere');
  await appliance.start();
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
});
afterAll(async () => {
  await browser.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

it('is made from a form of its own, says when nobody answers, and goes without a word about erasing', async () => {
  const server = join(appliance.dataDir, 'server');
  writeFileSync(server, '');
  const page = await openPage(browser, appliance, '/pools/new', 'dark', 1280);
  await page.getByRole('radio', { name: /another machine/ }).check();
  const plan = page.getByRole('button', { name: 'Show the plan' });
  await page.getByLabel('Label').fill('Afar');
  await page.getByLabel('Server').fill('no path');
  await plan.click();
  await page.getByText('It is no path. Give a path.').first().waitFor();
  await page.getByText('It is missing. Enter it.').first().waitFor();
  await page.getByLabel('Server').fill(server);
  await page.getByLabel('Password').fill('hunter2');
  await shoot(page, 'share-form');
  expect(await seriousFindings(page)).toEqual([]);
  await plan.click();
  await page.getByRole('button', { name: 'Create pool' }).click();
  await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();

  await page.goto(`${appliance.url}/pools`);
  await page.getByRole('link', { name: 'Afar' }).click();
  await page.getByText('All is well. It leaves its drives to the server.').waitFor();
  expect(await page.getByRole('heading', { name: 'Its drives' }).count()).toBe(0);
  await shoot(page, 'share-pool');
  rmSync(server);
  await page.getByText('No answer').waitFor();
  await page.getByText('It is away.').first().waitFor();
  await shoot(page, 'share-gone');
  expect(await seriousFindings(page)).toEqual([]);
  writeFileSync(server, '');
  await page.getByText('No answer').waitFor({ state: 'detached' });

  await page.goto(`${appliance.url}/pools`);
  await page.getByRole('button', { name: 'Remove Afar' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Its files stay at elsewhere-').first().waitFor();
  await dialog.getByRole('button', { name: 'Remove pool' }).click();
  await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
});

it('a plugin of somebody else is shown, trusted by its name, disabled and removed', async () => {
  const folder = join(appliance.dataDir, 'from-elsewhere/my-pool');
  writePlugin(folder, 'my-pool');
  const page = await openPage(browser, appliance, '/settings', 'light', 1280);
  await page.getByRole('button', { name: 'Install…' }).click();
  await page.getByLabel('Path').fill(folder);
  await page.getByRole('button', { name: 'Show what it is' }).click();
  await page.getByText('as root').waitFor();
  await shoot(page, 'plugin-trust');
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByLabel('Type my-pool to trust it').fill('my-pool');
  await page.getByRole('button', { name: 'Trust and install' }).click();
  await page.getByRole('button', { name: 'Disable Mine' }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).last().click();
  await page.getByRole('button', { name: 'Enable my-pool' }).waitFor();
  await page.getByText('It is disabled.').scrollIntoViewIfNeeded();
  await shoot(page, 'plugin-disabled');
  await page.getByRole('button', { name: 'Remove my-pool' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).last().click();
  await page.getByRole('button', { name: 'Enable my-pool' }).waitFor({ state: 'detached' });
  await page.close();
});
