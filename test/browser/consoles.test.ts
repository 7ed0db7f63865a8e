/** A machine's screen and serial line in the browser: typed into, and read back. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  addImage,
  makePool,
  microRequest,
  mustSucceed,
  startHost,
  vmNamed,
  type Machines,
} from '../support/machines';
import { colourGuest, microGuest } from '../support/micro-guest';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
let machines: Omit<Machines, 'imageId'>;
let browser: Browser | undefined;
let page: Page;
const paths: Record<string, string> = {};

async function open(path: string, colorScheme: 'dark' | 'light', width: number): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
  const { appliance } = machines;
  const phone = width < 500;
  const context = await browser.newContext({
    ...{ colorScheme, reducedMotion: 'reduce', hasTouch: phone, isMobile: phone },
    viewport: { width, height: phone ? 844 : 860 },
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const opened = await context.newPage();
  await opened.goto(`${appliance.url}${path}`);
  return opened;
}
async function machine(name: string, guest: Buffer): Promise<void> {
  const { appliance } = machines;
  const imageId = await addImage(machines, name, guest);
  await mustSucceed(appliance, await appliance.rest('POST', '/vms', microRequest(imageId, { name })));
  paths[name] = `/vms/${(await vmNamed(appliance, name))?.id ?? ''}/console`;
}
const panel = (state = 'true', of = page) => of.locator(`[data-testid=console][data-open=${state}]`);
const button = (name: string, of = page) => of.getByRole('button', { name, exact: true });

/** Red, green and blue in the middle of the screen. */
const colour = (of = page): Promise<number[]> =>
  of.locator('[data-testid=console-screen] canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const data = canvas.getContext('2d')?.getImageData(width >> 1, height >> 1, 1, 1).data ?? [];
    return [...data].slice(0, 3);
  });
// The first colours of the VGA's palette: two of six bits in eight.
const [BLUE, GREEN, RED] = [
  [0, 0, 168],
  [0, 168, 0],
  [168, 0, 0],
];
/** Types it again until it is seen: a guest that has not booted hears nothing. */
async function typedUntil(type: () => Promise<unknown>, wanted: number[] | undefined): Promise<void> {
  await expect
    .poll(
      async () => {
        await type();
        return colour();
      },
      { timeout: 20_000, interval: 200 },
    )
    .toEqual(wanted);
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  machines = await startHost();
  await makePool(machines.appliance);
  await machine('colours', colourGuest());
  await machine('micro', microGuest());
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open(paths['colours'] ?? '', 'light', 1280);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

describe('the screen of a machine', () => {
  it('is shown, and takes what is typed', async () => {
    await panel().waitFor();
    await page.locator('[data-testid=console-screen] canvas').click();
    await typedUntil(() => page.keyboard.press('b'), GREEN);
    await page.keyboard.press('a');
    await expect.poll(() => colour()).toEqual(BLUE);
    await page.screenshot({ path: join(shots, 'light-1280-console-screen.png') });
  });

  it('has a text typed into it, and says which characters no key has', async () => {
    await button('Type a text').click();
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill('größe');
    await page.getByText('No key of a US keyboard gives ö ß').first().waitFor();
    expect(await button('Type it').getAttribute('aria-disabled')).toBe('true');
    await page.screenshot({ path: join(shots, 'light-1280-console-type.png') });
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill('a_"D');
    await button('Type it').click();
    await expect.poll(() => colour()).toEqual(RED);
  });

  it('is seen by two people at once', async () => {
    const other = await open(paths['colours'] ?? '', 'dark', 1280);
    await panel('true', other).waitFor();
    await expect.poll(() => colour(other)).toEqual(RED);
    await other.locator('[data-testid=console-screen] canvas').click();
    await other.keyboard.press('b');
    await expect.poll(() => colour()).toEqual(GREEN);
    await other.screenshot({ path: join(shots, 'dark-1280-console-screen.png') });
    expect(await seriousFindings(other)).toEqual([]);
    await other.context().close();
  });

  it('is typed into from a phone, with keys that its keyboard does not have', async () => {
    const phone = await open(paths['colours'] ?? '', 'dark', 390);
    await panel('true', phone).waitFor();
    await phone.getByLabel('Typed into the machine').pressSequentially('ba');
    await expect.poll(() => colour(phone)).toEqual(BLUE);
    await phone.getByRole('button', { name: 'Ctrl', exact: true }).tap();
    await phone.screenshot({ path: join(shots, 'dark-390-console-screen.png') });
    // Control and B is character 2.
    await phone.getByLabel('Typed into the machine').pressSequentially('b');
    await expect.poll(() => colour(phone)).toEqual(GREEN);
    expect(await seriousFindings(phone)).toEqual([]);
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await phone.context().close();
  });

  it('is there again after a restart of the server, without being asked', async () => {
    const { appliance } = machines;
    await appliance.kill('SIGKILL');
    await panel('false').waitFor();
    await appliance.start();
    await panel().waitFor();
    await expect.poll(() => colour()).toEqual(GREEN);
  });

  it('says that the machine is off, and lets it be started right there', async () => {
    const { appliance } = machines;
    const id = (await vmNamed(appliance, 'colours'))?.id ?? '';
    await mustSucceed(appliance, await appliance.rest('POST', `/vms/${id}/stop`, { graceSeconds: 0 }));
    await page.getByText('The machine is off').waitFor();
    await page.screenshot({ path: join(shots, 'light-1280-console-off.png') });
    await panel('false').getByRole('button', { name: 'Start' }).click();
    await panel().waitFor();
    await page.locator('[data-testid=console-screen] canvas').click();
    await typedUntil(() => page.keyboard.press('d'), RED);
  });
});

describe('the overview of a machine', () => {
  it('draws what it uses while somebody looks', async () => {
    const path = (paths['micro'] ?? '').replace('/console', '');
    await page.goto(`${machines.appliance.url}${path}`);
    await page.locator('[data-testid=vm-usage]:not([data-samples="0"]):not([data-samples="1"])').waitFor();
    expect(await page.getByTestId('now-CPU').innerText()).toMatch(/^\d+ %$/);
    for (const [scheme, width] of [
      ['dark', 1280],
      ['light', 390],
    ] as const) {
      const looked = await open(path, scheme, width);
      await looked.locator('[data-testid=vm-usage]:not([data-samples="0"])').waitFor();
      await looked.screenshot({ path: join(shots, `${scheme}-${width}-vm-usage.png`), fullPage: true });
      expect(await seriousFindings(looked)).toEqual([]);
      expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await looked.context().close();
    }
  });
});

describe('the history of a machine', () => {
  it('draws what it used, as far as that was noted', async () => {
    const path = (paths['micro'] ?? '').replace('/console', '');
    const usage = (count: number) =>
      page.locator(`[data-testid=vm-usage][data-range=day][data-samples="${count}"]`);
    await page.goto(`${machines.appliance.url}${path}`);
    await page.getByText('Day', { exact: true }).click();
    await usage(0).waitFor();
    await page.getByText('Nothing was noted in this time').waitFor();

    const db = new Database(join(machines.appliance.dataDir, 'cairn.db'));
    const insert = db.prepare('INSERT INTO vm_samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    const first = Math.floor(Date.now() / 300_000) * 300_000 - 12 * 3_600_000;
    for (let index = 0; index < 144; index += 1) {
      const wave = 1 + Math.sin(index / 12);
      const rates = [wave * 9e5, wave * 3e5, wave * 8e4, wave * 2e4];
      insert.run(path.split('/').at(-1), first + index * 300_000, wave * 40, 5e7 + wave * 1e6, ...rates);
    }
    db.close();
    await page.getByText('Week', { exact: true }).click();
    await page.getByText('Day', { exact: true }).click();
    await usage(144).waitFor();
    expect(await page.getByTestId('now-CPU').count()).toBe(0);
    await page.screenshot({ path: join(shots, 'vm-usage-day.png'), fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: join(shots, 'vm-usage-day-phone.png'), fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1280, height: 860 });
  });
});

describe('the serial line of a machine', () => {
  it('shows what the guest says, and takes what is typed', async () => {
    await page.goto(`${machines.appliance.url}${paths['micro'] ?? ''}`);
    await page.getByText('Serial line', { exact: true }).click();
    await page.locator('[data-testid=console][data-kind=serial][data-open=true]').waitFor();
    const rows = page.locator('.xterm-rows');
    await page.locator('.xterm').click();
    await expect
      .poll(
        async () => {
          await page.keyboard.type('x');
          return rows.innerText();
        },
        { timeout: 20_000, interval: 200 },
      )
      .toMatch(/x/);
    await page.keyboard.type(' hello there');
    await rows.getByText('hello there').waitFor();
    await page.screenshot({ path: join(shots, 'light-1280-console-serial.png') });
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('shows what was said before to a page that is loaded again', async () => {
    await page.reload();
    await page.getByText('Serial line', { exact: true }).click();
    await page.locator('.xterm-rows').getByText('hello there').waitFor();
  });

  it('has a text typed into it as well, with characters of any language', async () => {
    await button('Type a text').click();
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill('größe');
    await button('Type it').click();
    await page.locator('.xterm-rows').getByText('größe').waitFor();
  });
});
