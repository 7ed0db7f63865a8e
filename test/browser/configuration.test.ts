/** On a new host with the drives of a lost one, a person brings the system back in the browser. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { loseSystemDisk, NO_NEW_DRIVES } from '../support/lost-system-disk';
import { makePool } from '../support/machines';
import { openPage, shoot, SHOTS } from '../support/pages';

const before = traces();
const appliance = new Appliance({ drives: 1 });
let browser: Browser | undefined;
const marker = join(appliance.dataDir, 'mnt/tank/marker');

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  await appliance.start();
  await appliance.setUp();
  await makePool(appliance, 'btrfs');
  writeFileSync(marker, 'still here');
  await appliance.rest('POST', '/configuration-copies');
  await loseSystemDisk(appliance, 'tank');
  await appliance.start(NO_NEW_DRIVES);
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

it('the overview of a new host offers the copy that lies on its drives, and brings the pool back', async () => {
  const page = await openPage(browser, appliance, '/', 'light', 1280);
  const dialog = page.getByRole('dialog');
  await page.getByRole('heading', { name: 'Bring a system back' }).waitFor();
  await shoot(page, 'restore-hint');
  await page.getByRole('button', { name: 'Restore…' }).click();
  await dialog.getByRole('button', { name: /Look into 1 found pool/ }).click();
  await dialog.getByText('It is on the drives, and is adopted with all that is on it.').waitFor();
  expect(await dialog.getByRole('radio').first().isChecked()).toBe(true);
  await dialog.getByText(/API key "tests"/).waitFor();
  await shoot(page, 'restore-plan');
  expect(await seriousFindings(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
  await dialog.getByText(/^It ended/).waitFor();
  await dialog.getByText('It is adopted, with all that is on it.').waitFor();
  await shoot(page, 'restore-done');
  await dialog.getByRole('button', { name: 'Close' }).first().click();
  expect(readFileSync(marker, 'utf8')).toBe('still here');
  await page.goto(`${appliance.url}/settings`);
  await page.getByText(/Restored .* from a copy of/).waitFor();
  await page.getByRole('button', { name: 'Write a copy now' }).click();
  await page.getByText('A copy is on tank').waitFor();
  await page.getByText(/newest copy on the pools/).scrollIntoViewIfNeeded();
  await shoot(page, 'configuration-card');
  expect(await seriousFindings(page)).toEqual([]);
}, 60_000);
