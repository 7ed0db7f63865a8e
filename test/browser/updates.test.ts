/** Somebody looks for a newer version, reads what it brings, and is told why this checkout cannot take it in use. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeKey, writeManifest } from '../../src/release-manifest.mjs';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { openPage, shoot, SHOTS } from '../support/pages';
import { removeFolder } from '../../src/cli/leftovers';

const folder = mkdtempSync(join(tmpdir(), 'cairn-channel-'));
const keyPath = join(folder, 'release.key');
let appliance: Appliance;
let browser: Browser;

beforeAll(async () => {
  const channel = join(folder, 'channel');
  mkdirSync(channel);
  mkdirSync(SHOTS, { recursive: true });
  makeKey(keyPath);
  for (const arch of ['x64', 'arm64'])
    writeFileSync(join(channel, `cairn-99.0.0-linux-${arch}.tar.gz`), 'an archive');
  writeManifest({
    ...{ folder: channel, version: '99.0.0', minimumVersion: '0.1.0', keyPath },
    ...{ date: '2040-01-01T00:00:00.000Z', notes: 'Pools are made faster.\nSnapshots can be compared.' },
  });
  appliance = new Appliance({
    drives: 1,
    env: { CAIRN_UPDATE_CHANNEL: channel, CAIRN_UPDATE_KEYS: `${keyPath}.pub` },
  });
  await appliance.start();
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
});
afterAll(async () => {
  await browser.close();
  await appliance.remove();
  removeFolder(folder);
});

it('a newer version is found, read about, and refused with a remedy where it cannot be installed', async () => {
  const page = await openPage(browser, appliance, '/settings', 'dark', 1280);
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByText('version 99.0.0 is there').waitFor();
  await page.getByText('Snapshots can be compared.').waitFor();
  await page.getByText('Snapshots can be compared.').scrollIntoViewIfNeeded();
  await shoot(page, 'updates');
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Install 99.0.0…' }).click();
  await page.getByRole('dialog').getByText('This Cairn was not installed by install.sh').waitFor();
  await shoot(page, 'updates-refused');
});
