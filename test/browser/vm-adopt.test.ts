/** A machine that virsh makes is seen, adopted and given up in the browser; on every page size, in both themes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { MIB, startHost, type Machines } from '../support/machines';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const ID = '7d0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
let machines: Omit<Machines, 'imageId'>;
let browser: Browser | undefined;
let page: Page;

async function open(path: string, colorScheme: 'dark' | 'light', width: number): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
  const { appliance } = machines;
  const context = await browser.newContext({
    ...{ colorScheme, reducedMotion: 'reduce' },
    viewport: { width, height: width < 500 ? 844 : 860 },
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const opened = await context.newPage();
  await opened.goto(`${appliance.url}${path}`);
  return opened;
}
function define(name: string, id: string): void {
  const { dataDir } = machines.appliance;
  const disk = join(dataDir, `${name}.img`);
  writeFileSync(disk, Buffer.alloc(MIB));
  const file = join(dataDir, 'given.xml');
  writeFileSync(
    file,
    `<domain type="qemu"><name>${name}</name><uuid>${id}</uuid><memory unit="MiB">32</memory><vcpu>2</vcpu>
    <os><type arch="x86_64" machine="q35">hvm</type></os><devices>
    <disk type="file" device="disk"><driver name="qemu" type="raw"/><source file="${disk}"/><target dev="sda" bus="sata"/></disk>
    <interface type="network"><source network="default"/></interface></devices></domain>`,
  );
  const { status, stderr } = machines.libvirt.virsh('define', file);
  rmSync(file);
  if (status !== 0) throw new Error(stderr);
}
const row = (name: string) => page.locator(`[data-testid=found-vm][data-name="${name}"]`);

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  machines = await startHost();
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open('/vms', 'light', 1280);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

describe('a machine that virsh makes', () => {
  it('is on the page at once, and what keeps it from being adopted is said there', async () => {
    await page.getByRole('heading', { name: 'No machine yet' }).waitFor();
    define('legacy', ID);
    define('Old_Box', '8d0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f');
    await row('legacy').waitFor();
    await row('Old_Box').getByText('virsh domrename').waitFor();
    for (const scheme of ['light', 'dark'] as const)
      for (const width of [1280, 390]) {
        const looked = await open('/vms', scheme, width);
        await looked.getByTestId('found-machines').waitFor();
        await looked.screenshot({ path: join(shots, `${scheme}-${width}-vms-found.png`), fullPage: true });
        expect(await seriousFindings(looked), `${scheme} ${width}`).toEqual([]);
        expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await looked.context().close();
      }
  });

  it('is adopted from there, after its plan was shown', async () => {
    await row('legacy').getByRole('button', { name: 'Adopt' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Its disks stay as they are').waitFor();
    await page.screenshot({ path: join(shots, 'light-1280-vm-adopt.png') });
    await dialog.getByRole('button', { name: 'Adopt machine' }).click();
    await page.waitForURL(`**/vms/${ID}`);
    await page.locator('[data-testid=vm-state][data-state=stopped]').waitFor();
    await page.screenshot({ path: join(shots, 'light-1280-vm-adopted.png'), fullPage: true });
  });

  it('is given up again, and found again', async () => {
    await page.getByTestId('setting-vm.release').getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('can be adopted again').waitFor();
    await page.screenshot({ path: join(shots, 'light-1280-vm-release.png') });
    await dialog.getByRole('button', { name: 'Give up machine' }).click();
    await row('legacy').waitFor();
  });
});
