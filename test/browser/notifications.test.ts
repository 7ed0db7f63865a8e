/** Somebody sets up who is told, sees why a test does not arrive, and what became of each message. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { httpSink, type HttpSink } from '../support/sinks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const TOPIC = 'attic-7f3a-quiet-otter';
let appliance: Appliance;
let browser: Browser | undefined;
let sink: HttpSink;
let page: Page;

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
const dialog = () => page.getByRole('dialog');
const channel = (of: Page, name: string) => of.locator(`[data-testid=channel][data-name="${name}"]`);

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  sink = await httpSink();
  appliance = new Appliance({ drives: 1 });
  await appliance.start();
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open('light', 1280, '/settings');
});
afterAll(async () => {
  await browser?.close();
  await appliance.remove();
  await sink.close();
  await expectNoLeaks(before, appliance.dataDir);
});

describe('who is told', () => {
  it('begins with nobody, and says what to do', async () => {
    await page.getByRole('link', { name: 'Open notifications' }).click();
    await page.getByRole('heading', { name: 'Nobody is told yet' }).waitFor();
    await page.screenshot({ path: join(shots, 'notifications-empty.png') });
  });

  it('is a channel that is tried before it is added: the reason of a failure is shown in words', async () => {
    await page.getByRole('button', { name: 'Add a channel' }).click();
    await dialog().getByRole('button', { name: /^ntfy/ }).waitFor();
    await page.screenshot({ path: join(shots, 'notifications-kinds.png') });
    await dialog().getByRole('button', { name: /^ntfy/ }).click();
    await dialog().getByText('name that nobody can guess').waitFor();
    await dialog().getByLabel('Server').fill('http://127.0.0.1:9');
    await dialog().getByLabel('Topic').fill(TOPIC);
    await dialog().getByRole('button', { name: 'Send a test' }).click();
    const result = page.locator('[data-testid=test-result]');
    await result.getByText('Nothing listens at 127.0.0.1, port 9.').waitFor();
    await page.screenshot({ path: join(shots, 'notifications-test-failed.png') });
    await dialog().getByLabel('Server').fill('ftp://nas');
    await dialog().getByRole('button', { name: 'Send a test' }).click();
    await dialog().getByText('Give an address that begins with http:// or https://').first().waitFor();
    await dialog().getByLabel('Server').fill(sink.url);
    await dialog().getByLabel('Name').fill('Phone of Ann');
    await dialog().getByLabel('Quiet hours').check();
    await dialog().getByRole('button', { name: 'Send a test' }).click();
    await result.getByText('The test was sent').waitFor();
    expect(sink.taken[0]?.body).toMatchObject({ topic: TOPIC, title: /Cairn can reach you here$/ });
    await page.screenshot({ path: join(shots, 'notifications-add.png') });
    await dialog().getByRole('button', { name: 'Add channel' }).click();
    await channel(page, 'Phone of Ann').getByText('quiet from 22:00 to 07:00').waitFor();
    await channel(page, 'Phone of Ann').getByText('Topic set').waitFor();
    expect(await page.content()).not.toContain(TOPIC);
  });

  it('is tested from the list, and edited without entering what is secret again', async () => {
    sink.answer = { status: 403, text: '{"error":"forbidden"}' };
    await page.getByRole('button', { name: 'Test Phone of Ann' }).click();
    await channel(page, 'Phone of Ann').getByText('does not let this token write to the topic').waitFor();
    sink.answer = { status: 200, text: '{}' };
    await page.getByRole('button', { name: 'Edit Phone of Ann' }).click();
    expect(await dialog().getByLabel('Topic').inputValue()).toBe('');
    await dialog().getByLabel('Quiet hours').uncheck();
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Test Phone of Ann' }).click();
    await channel(page, 'Phone of Ann').getByText('The test was sent').waitFor();
    expect(sink.taken).toHaveLength(2);
  });

  it('knows where this appliance is, for links', async () => {
    await page.getByRole('button', { name: 'Use this one' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect
      .poll(async () => (await appliance.rest<{ settings: unknown }>('GET', '/notifications')).body.settings)
      .toEqual({ baseUrl: appliance.url });
  });

  it('is told of an alert: what could not be told shows why, and is told later', async () => {
    await appliance.rest('POST', '/channels', {
      ...{ kind: 'webhook', name: 'Home Assistant' },
      settings: { template: '{"text":"{{title}}"}' },
      secrets: { url: 'http://127.0.0.1:9/hook?key=hush-hush' },
    });
    // What an alert of a pool would have put there, had one been degraded.
    await appliance.kill('SIGTERM');
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(join(appliance.dataDir, 'cairn.db'));
    const ids = db.prepare('SELECT id, name FROM channels').all() as { id: string; name: string }[];
    const add = db.prepare(
      `INSERT INTO outbox (id, channel_id, alert_id, alert_raised_at, message, state, due_at, created_at)
       VALUES (?, ?, 'pool:1:degraded', ?, ?, 'waiting', ?, ?)`,
    );
    const now = Date.now();
    const message = {
      ...{ event: 'raised', severity: 'critical', title: 'Pool "photos" is degraded: drive WD-1 is missing' },
      ...{ text: 'Drive WD-1 is not there.', remedy: 'Plug it in again.', subject: 'photos' },
      ...{ since: now, at: now, path: '/pools/1' },
    };
    for (const { id } of ids) add.run(crypto.randomUUID(), id, now, JSON.stringify(message), now, now);
    db.close();
    await appliance.start();
    await page.locator('[data-testid=delivery][data-state=told]').waitFor();
    await page
      .locator('[data-testid=delivery][data-state=waiting]')
      .getByText('Nothing listens at')
      .waitFor();
    expect(sink.taken.at(-1)?.body).toMatchObject({ click: `${appliance.url}/pools/1`, priority: 5 });
    expect(await page.content()).not.toContain('hush-hush');
  });

  it.each(['light', 'dark'] as const)(
    'can be read by everybody in the %s theme, also on a phone',
    async (scheme) => {
      for (const width of [1280, 390]) {
        const looked = await open(scheme, width, '/settings/notifications');
        await channel(looked, 'Phone of Ann').waitFor();
        await looked.screenshot({
          path: join(shots, `${scheme}-${width}-notifications.png`),
          fullPage: true,
        });
        expect(await seriousFindings(looked)).toEqual([]);
        expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await looked.getByRole('button', { name: 'Edit Home Assistant' }).click();
        await looked.getByRole('dialog').getByLabel('Body').waitFor();
        await looked.screenshot({ path: join(shots, `${scheme}-${width}-notifications-edit.png`) });
        expect(await seriousFindings(looked)).toEqual([]);
        await looked.context().close();
      }
    },
  );

  it('is told no more once a channel was removed, after that was confirmed', async () => {
    await page.getByRole('button', { name: 'Remove Home Assistant' }).click();
    await dialog().getByText('One message that it has not told yet will not be told').waitFor();
    await dialog().getByRole('button', { name: 'Remove channel' }).click();
    await channel(page, 'Home Assistant').waitFor({ state: 'detached' });
    await expect
      .poll(
        async () => (await appliance.rest<{ channels: unknown[] }>('GET', '/channels')).body.channels.length,
      )
      .toBe(1);
  });
});
