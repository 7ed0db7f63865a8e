/** Somebody gets an image from an address, watches it come, and deletes it; on every page size, in both themes. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { sha256, startFileServer, type FileServer } from '../support/file-server';
import { expectNoLeaks, traces } from '../support/leaks';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const content = randomBytes(6 * 1024 ** 2);
let appliance: Appliance;
let server: FileServer;
let browser: Browser | undefined;
let page: Page;

async function open(colorScheme: 'dark' | 'light', width: number): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
  const context = await browser.newContext({
    ...{ colorScheme, reducedMotion: 'reduce' },
    viewport: { width, height: width < 500 ? 844 : 860 },
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const opened = await context.newPage();
  await opened.goto(`${appliance.url}/images`);
  await opened
    .locator('[data-testid=live-indicator][data-state=live]')
    .first()
    .waitFor({ state: 'attached' });
  return opened;
}
const rows = (badge: string) => page.locator(`[data-testid=image-row][data-badge=${badge}]`);

async function makePool(): Promise<void> {
  const [drive] = appliance.query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1');
  const asked = await appliance.rest<{ operationId: string }>('POST', '/pools', {
    ...{ label: 'Machines', plugin: 'single-drive', layout: 'single', drives: [{ serial: drive?.serial }] },
  });
  for (let state = ''; state !== 'succeeded'; await sleep(50)) {
    const { body } = await appliance.rest<{ state: string }>('GET', `/operations/${asked.body.operationId}`);
    state = body.state;
    if (state === 'failed') throw new Error('the pool was not made');
  }
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  server = await startFileServer();
  server.files.set('/live-13.iso', { content, slowMs: 40 });
  appliance = new Appliance({ drives: 1 });
  await appliance.start();
  await appliance.setUp();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open('light', 1280);
});
afterAll(async () => {
  await browser?.close();
  await appliance.remove();
  await server.close();
  await expectNoLeaks(before, appliance.dataDir);
});

/** An installer that somebody copied there a while ago. */
function putInstaller(): string {
  const [{ mount_path: root } = { mount_path: '' }] = appliance.query<{ mount_path: string }>(
    'SELECT mount_path FROM pools',
  );
  const path = join(root, 'isos/debian-12.5.0-amd64-netinst.iso');
  mkdirSync(join(root, 'isos'));
  writeFileSync(path, Buffer.alloc(50_000));
  const when = Date.now() / 1_000 - 60;
  utimesSync(path, when, when);
  return path;
}

describe('the images page', () => {
  it('says what is needed first, and why nothing can be got yet', async () => {
    await page.getByText('Make a pool first').waitFor();
    const get = page.getByRole('button', { name: 'Get Debian 13' });
    expect(await get.getAttribute('aria-disabled')).toBe('true');
    await makePool();
    await expect.poll(() => get.getAttribute('aria-disabled')).toBe(null);
    await page.getByText('No image is here yet').waitFor();
  });

  it('shows size and checksum before anything is downloaded, and refuses what is wrong by name', async () => {
    await page.getByRole('button', { name: 'From an address' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address', { exact: true }).fill(`${server.url}/live-13.iso`);
    await dialog.getByLabel('Checksum').fill(sha256(content));
    await dialog.getByRole('button', { name: 'See what is there' }).click();
    await dialog.getByText('The address lies in a private network').waitFor();
    await dialog.getByLabel('Also from my own network').check();
    await dialog.getByRole('button', { name: 'See what is there' }).click();
    await dialog.getByText('Download live-13.iso (6 MiB)').waitFor();
    await page.screenshot({ path: join(shots, 'images-plan.png') });
    expect(appliance.query('SELECT id FROM images')).toEqual([]);
    await dialog.getByRole('button', { name: 'Download', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  it('shows the download live, and the image when it is whole', async () => {
    await rows('downloading')
      .getByText(/MiB of 6 MiB/)
      .waitFor();
    await page.screenshot({ path: join(shots, 'images-downloading.png') });
    await rows('ready').getByText('live-13.iso').first().waitFor();
    await rows('ready')
      .getByText(/mnt\/machines\/images\/live-13\.iso/)
      .waitFor();
  });

  it('finds what somebody copied onto a pool, once, and says where it is and what it looks like', async () => {
    putInstaller();
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('1 new image').first().waitFor();
    await page
      .locator('[data-origin=scanned]')
      .getByText(/looks like Debian 12\.5 .* found there/)
      .waitFor();
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('Nothing new was found').waitFor();
  });

  it('takes entries of one’s own into the catalog, says what is wrong in its field, and changes and removes them', async () => {
    await page.getByRole('button', { name: 'Add an entry' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('House Debian');
    await dialog.getByLabel('Address', { exact: true }).fill(`${server.url}/house.qcow2`);
    await dialog.getByLabel('Checksum').fill('abc');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText('an address of a private network').first().waitFor();
    await dialog.getByText('neither a sum nor an address').waitFor();
    await page.screenshot({ path: join(shots, 'images-entry.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('Checksum').fill('');
    await dialog.getByLabel('Also from my own network').check();
    await dialog.getByLabel('User').fill('debian');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Edit House Debian' }).click();
    await expect.poll(() => dialog.getByLabel('User').inputValue()).toBe('debian');
    await dialog.getByLabel('Name').fill('Our house Debian');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Our house Debian').waitFor();
  });

  it('says how large what the catalog offers is, and what is wrong, once its publisher was asked', async () => {
    const { body } = await appliance.rest<{ entries: { id: string }[] }>('GET', '/catalog');
    const refresh = () => appliance.rest('POST', `/catalog/${body.entries[0]?.id ?? ''}/refresh`);
    const card = page.getByTestId('catalog-card').filter({ hasText: 'Our house Debian' });
    await refresh();
    await card.getByText(/answered 404/).waitFor();
    server.files.set('/house.qcow2', { content: Buffer.alloc(3 * 1024 ** 2) });
    await refresh();
    await card.getByText('3 MiB to download').waitFor();
    expect(await card.getByText(/answered 404/).count()).toBe(0);
  });

  it.each(['light', 'dark'] as const)(
    'can be read by everybody in the %s theme, also on a phone',
    async (scheme) => {
      for (const width of [1280, 390]) {
        const looked = await open(scheme, width);
        await looked.screenshot({ path: join(shots, `${scheme}-${width}-images.png`), fullPage: true });
        expect(await seriousFindings(looked)).toEqual([]);
        expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await looked.context().close();
      }
    },
  );

  it('removes an entry without touching a file', async () => {
    await page.getByRole('button', { name: 'Remove Our house Debian' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove entry' }).click();
    // The question names it as well, for as long as it takes to fade.
    await expect.poll(() => page.getByText('Our house Debian').count()).toBe(0);
  });

  it('tells taking an image off the list from deleting its file', async () => {
    const path = join(
      appliance.query<{ mount_path: string }>('SELECT mount_path FROM pools')[0]?.mount_path ?? '',
      'isos/debian-12.5.0-amd64-netinst.iso',
    );
    const found = page.locator('[data-origin=scanned]');
    await page.getByRole('button', { name: 'Take off the list debian-12.5.0-amd64-netinst.iso' }).click();
    await page
      .getByRole('dialog')
      .getByText(/stays where it is, untouched/)
      .waitFor();
    await page.screenshot({ path: join(shots, 'images-forget.png') });
    await page.getByRole('dialog').getByRole('button', { name: 'Take off the list' }).click();
    await found.waitFor({ state: 'detached' });
    expect(existsSync(path)).toBe(true);
    await page.getByRole('button', { name: 'Look again' }).click();
    await found.waitFor();
    await page.getByRole('button', { name: 'Delete debian-12.5.0-amd64-netinst.iso' }).click();
    await page
      .getByRole('dialog')
      .getByText(/Cairn did not put it there and cannot bring it back/)
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the file' }).click();
    await found.waitFor({ state: 'detached' });
    expect(existsSync(path)).toBe(false);
  });

  it('sends a file from this computer, pauses, and goes on with it after a reload', async () => {
    // Slow enough to be seen: the link of the browser, not of the server.
    const network = await page.context().newCDPSession(page);
    const speed = (bytesPerSecond: number) =>
      network.send('Network.emulateNetworkConditions', {
        ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond },
      });
    const disk = {
      name: 'My disk (2).raw',
      mimeType: 'application/octet-stream',
      buffer: randomBytes(20 * 1024 ** 2),
    };
    const choose = async (press: () => Promise<void>): Promise<void> => {
      const chooser = page.waitForEvent('filechooser');
      await press();
      await (await chooser).setFiles(disk);
    };
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await choose(() => dialog.getByRole('button', { name: 'Choose a file' }).click());
    await dialog.getByText('20 MiB').waitFor();
    await page.screenshot({ path: join(shots, 'images-upload.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await speed(4 * 1024 ** 2);
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    const row = rows('uploading');
    // Something, and not all: how much there is when the page is told depends on what else the machine does.
    await row.getByText(/(?<![\d.])(?!0 |20 )[\d.]+ [KM]iB of 20 MiB/).waitFor();
    await page.screenshot({ path: join(shots, 'images-uploading.png') });
    await row.getByRole('button', { name: /^Pause/ }).click();
    await page.reload();
    await row.getByText(/ of 20 MiB/).waitFor();
    await speed(-1);
    await choose(() => row.getByRole('button', { name: /^Continue/ }).click());
    await rows('ready').getByText('My-disk-2-.raw').first().waitFor();
    const [{ mount_path: root } = { mount_path: '' }] = appliance.query<{ mount_path: string }>(
      'SELECT mount_path FROM pools',
    );
    expect(readFileSync(join(root, 'images/My-disk-2-.raw')).equals(disk.buffer)).toBe(true);
    await page.getByRole('button', { name: 'Delete My-disk-2-.raw' }).click();
    await page
      .getByRole('dialog')
      .getByText(/You can upload it again/)
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete image' }).click();
    await page.getByText('My-disk-2-.raw').first().waitFor({ state: 'detached' });
  });

  it('asks before it deletes, and says which file goes', async () => {
    await page.getByRole('button', { name: 'Delete live-13.iso' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/images\/live-13\.iso is deleted for good/).waitFor();
    await dialog.getByRole('button', { name: 'Delete image' }).click();
    await page.getByText('No image is here yet').waitFor();
  });
});
