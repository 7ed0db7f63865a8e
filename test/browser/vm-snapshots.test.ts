/** Somebody takes snapshots of a machine, sees them as a tree, goes back to one and deletes one; on every page size, in both themes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { allEnded, microRequest, mustSucceed, startMachines, type Machines } from '../support/machines';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
let machines: Machines;
let browser: Browser | undefined;
let page: Page;
let path = '';

async function open(colorScheme: 'dark' | 'light', width: number): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
  const { appliance } = machines;
  const context = await browser.newContext({
    ...{ colorScheme, reducedMotion: 'reduce' },
    viewport: { width, height: width < 500 ? 844 : 860 },
  });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  const opened = await context.newPage();
  await opened.goto(`${appliance.url}${path}/snapshots`);
  await opened
    .locator('[data-testid=live-indicator][data-state=live]')
    .first()
    .waitFor({ state: 'attached' });
  await opened.getByTestId('vm.snapshot').waitFor();
  return opened;
}
/** In both themes and on a phone: nothing that keeps somebody out, and nothing that runs out of the page. */
async function lookAt(name: string, first: (looked: Page) => Promise<unknown>): Promise<void> {
  for (const scheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      const looked = await open(scheme, width);
      await first(looked);
      await looked.screenshot({ path: join(shots, `${scheme}-${width}-${name}.png`), fullPage: true });
      expect(await seriousFindings(looked), `${name} ${scheme} ${width}`).toEqual([]);
      expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await looked.context().close();
    }
}
const row = (name: string) => page.locator(`[data-testid=vm-snapshot][data-name="${name}"]`);
const dialog = () => page.getByRole('dialog');
async function rest(method: string, where: string, body?: unknown) {
  await allEnded(machines.appliance);
  return machines.appliance.rest<{ vmId: string }>(method, where, body);
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  machines = await startMachines();
  const { appliance } = machines;
  const asked = await rest('POST', '/vms', microRequest(machines.imageId));
  await mustSucceed(appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  await mustSucceed(appliance, await rest('POST', `${path}/stop`, { graceSeconds: 0 }));
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await open('light', 1280);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

describe('the snapshots of a machine', () => {
  it('are none at first, and are taken by a name that somebody gives', async () => {
    await page.getByText('No snapshot yet.').waitFor();
    await page.getByTestId('vm.snapshot').click();
    await dialog().getByText('It is off: its disk is kept as it is.').waitFor();
    const take = dialog().getByRole('button', { name: 'Take snapshot' });
    expect(await take.getAttribute('aria-disabled')).toBe('true');
    await dialog().getByLabel('Name').fill('über');
    await dialog()
      .getByText('"über" has characters that are not allowed, or begins with one.')
      .first()
      .waitFor();
    await dialog().getByLabel('Name').fill('fresh install');
    await dialog().getByText('It will be called fresh-install.').waitFor();
    await dialog().getByLabel('What it is for').fill('Before anything was changed');
    await page.screenshot({ path: join(shots, 'vm-snapshot-take.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await take.click();
    await row('fresh-install').getByText('disk only').waitFor();
    await row('fresh-install').getByText('Goes on from here').waitFor();
  });

  it('have their memory in them when the machine is on, and what virsh takes is shown as well', async () => {
    await mustSucceed(machines.appliance, await rest('POST', `${path}/start`));
    await page.getByTestId('vm.snapshot').click();
    await dialog()
      .getByText(/It is on: its memory is kept with its disk\./)
      .waitFor();
    await dialog().getByLabel('Name').fill('running');
    await dialog().getByRole('button', { name: 'Take snapshot' }).click();
    await row('running')
      .getByText(/with memory, \d.* MiB/)
      .waitFor();
    const made = machines.libvirt.virsh('snapshot-create-as', 'web', 'by-hand');
    expect(made.status, made.stderr).toBe(0);
    await row('by-hand').getByText('Goes on from here').waitFor();
  });

  it('are gone back to without a loss, unless somebody wants it so and types the name', async () => {
    await row('fresh-install').getByRole('button', { name: 'Restore' }).click();
    await dialog().getByText('Nothing is lost: this plan erases nothing.').waitFor();
    await dialog().locator('[data-step=take-snapshot]').waitFor();
    await page.screenshot({ path: join(shots, 'vm-snapshot-restore.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog().getByLabel('Take a snapshot of how it is now first').uncheck();
    await dialog().getByText('What it has in its memory now.').waitFor();
    const restore = dialog().getByRole('button', { name: 'Restore' });
    expect(await restore.getAttribute('aria-disabled')).toBe('true');
    await dialog().getByLabel('Type web to confirm').fill('web');
    expect(await restore.getAttribute('aria-disabled')).not.toBe('true');
    await page.screenshot({ path: join(shots, 'vm-snapshot-restore-loses.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog().getByLabel('Take a snapshot of how it is now first').check();
    await dialog().locator('[data-step=take-snapshot]').waitFor();
    await restore.click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    await page.goto(`${machines.appliance.url}${path}/snapshots`);
    await page.locator('[data-testid=vm-state][data-state=stopped]').waitFor();
    await row('fresh-install').getByText('Goes on from here').waitFor();
  });

  it('are a tree once the machine has gone on from an older one', async () => {
    const asked = await rest('POST', `${path}/snapshots`, { name: 'another-way' });
    await mustSucceed(machines.appliance, asked);
    await row('another-way').getByText('Goes on from here').waitFor();
    expect(await row('another-way').getAttribute('data-depth')).toBe('1');
    await row('another-way').getByText('made upon fresh-install').waitFor();
    await lookAt('vm-snapshots', (looked) =>
      looked.locator('[data-testid=vm-snapshot][data-name=another-way]').waitFor(),
    );
  });

  it('are deleted only after their name was typed', async () => {
    await row('by-hand').getByRole('button', { name: 'Delete' }).click();
    await dialog().getByText('What "web" was when "by-hand" was taken, with its memory.').waitFor();
    await page.screenshot({ path: join(shots, 'vm-snapshot-delete.png') });
    expect(await seriousFindings(page)).toEqual([]);
    const go = dialog().getByRole('button', { name: 'Delete snapshot' });
    expect(await go.getAttribute('aria-disabled')).toBe('true');
    await dialog().getByLabel('Type by-hand to confirm').fill('by-hand');
    await go.click();
    await row('by-hand').waitFor({ state: 'detached' });
    expect(machines.libvirt.virsh('snapshot-list', 'web', '--name').stdout).not.toContain('by-hand');
  });

  it('are named in the plan of the removal of their machine, and go with it', async () => {
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await dialog().getByText('It can be brought back, with its snapshots.').waitFor();
    await dialog().getByRole('radio', { name: 'Delete it now' }).check();
    await dialog()
      .getByText(/Its snapshots are deleted: .*"fresh-install"/)
      .waitFor();
    await dialog().getByLabel('Type web to confirm').fill('web');
    await dialog().getByRole('button', { name: 'Delete for good' }).click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    expect(machines.libvirt.domstate('web')).toBeNull();
  });
});
