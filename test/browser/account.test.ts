/** An account as its owner sees it: a second factor, the password once more, and who did what. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Secret, TOTP } from 'otpauth';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { openPage, shoot, SHOTS } from '../support/pages';

const before = traces();
let appliance: Appliance;
let browser: Browser | undefined;
let page: Page;
let codes: string[] = [];

/** As if the password had been given yesterday. */
function letConfirmationAge(): void {
  const db = new Database(join(appliance.dataDir, 'cairn.db'));
  db.prepare('UPDATE sessions SET confirmed_at = ?').run(Date.now() - 86_400_000);
  db.close();
}

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  appliance = new Appliance({ drives: 1 });
  await appliance.start();
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await openPage(browser, appliance, '/settings', 'dark', 1280);
});
afterAll(async () => {
  await browser?.close();
  await appliance.remove();
  await expectNoLeaks(before, appliance.dataDir);
});

describe('the second factor', () => {
  it('is set up with a picture that a camera can read in the dark theme too', async () => {
    await page.getByRole('button', { name: 'Set up' }).click();
    const picture = page.getByAltText('QR code for the authenticator app');
    await picture.waitFor();
    expect(await picture.evaluate((image) => getComputedStyle(image).backgroundColor)).toBe(
      'rgb(255, 255, 255)',
    );
    await shoot(page, 'second-factor');
    expect(await seriousFindings(page)).toEqual([]);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Code of the app').fill('000000');
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await dialog.getByText('This code is wrong.').waitFor();
    const [secret = ''] = /\b[A-Z2-7]{32}\b/.exec((await dialog.textContent()) ?? '') ?? [];
    await dialog
      .getByLabel('Code of the app')
      .fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await dialog.getByText('They are shown this once.').waitFor();
    codes = ((await dialog.locator('pre').textContent()) ?? '').trim().split(/\s+/);
    expect(codes.length).toBeGreaterThan(7);
    await dialog.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText(`${codes.length} recovery codes left`).waitFor();
  });

  it('is asked for after the password, and a recovery code opens once', async () => {
    const context = await browser?.newContext({ viewport: { width: 390, height: 844 } });
    const phone = await context?.newPage();
    if (!phone) throw new Error('no page');
    await phone.goto(`${appliance.url}/login`);
    await phone.getByLabel('User name').fill(ADMIN.username);
    await phone.getByLabel('Password').fill(ADMIN.password);
    await phone.getByRole('button', { name: 'Sign in' }).click();
    const code = phone.getByLabel('Code of your phone');
    await code.fill('000000');
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.getByRole('alert').waitFor();
    await phone.screenshot({ path: join(SHOTS, 'second-factor-login.png') });
    await code.fill(codes[0] ?? '');
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.waitForURL(`${appliance.url}/`);
    await phone.context().close();
  });

  it('is turned off only with the password, when that was not given lately', async () => {
    letConfirmationAge();
    await page.reload();
    await page.getByText(`${codes.length - 1} recovery codes left`).waitFor();
    await page.getByRole('button', { name: 'Turn off' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
    const question = page.getByRole('dialog', { name: 'Is it you?' });
    await question.getByLabel('Your password').fill('not this one at all');
    await question.getByRole('button', { name: 'Go on' }).click();
    await question.getByText('This is not your password.').waitFor();
    await shoot(page, 'reauth');
    await question.getByLabel('Your password').fill(ADMIN.password);
    await question.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('a stolen password alone opens nothing').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('the audit log', () => {
  it('has all of it, newest first, without a secret, and shows what comes meanwhile', async () => {
    await page.goto(`${appliance.url}/settings/audit`);
    const entries = page.getByTestId('audit-entry');
    await entries.first().waitFor();
    expect(await page.content()).not.toContain(codes[0]);
    expect(await page.content()).not.toContain(ADMIN.password);
    await shoot(page, 'audit');
    expect(await seriousFindings(page)).toEqual([]);
    const had = await entries.count();
    await appliance.rest('POST', '/pools', { label: '' });
    await page.waitForFunction(
      (count) => document.querySelectorAll('[data-testid=audit-entry]').length > count,
      had,
    );
    expect(await entries.first().getAttribute('data-outcome')).toBe('refused');
  });
});
