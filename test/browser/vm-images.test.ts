/** Somebody makes an image of a machine, and a template with clones that hang on it, and has a found disk converted: every dialog, in both themes and on a phone. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, mustSucceed, startMachines, vmNamed, type Machines } from '../support/machines';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
let machines: Machines;
let browser: Browser | undefined;
let page: Page;
let machine = '';

const dialog = () => page.getByRole('dialog');
const button = (name: string) => page.getByRole('button', { name, exact: true });
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true });
const state = (name: string) => page.locator(`[data-testid=vm-state][data-state=${name}]`);
const row = (name: string) => page.getByTestId('image-row').filter({ hasText: name });

/** What is open stays open. */
async function lookAt(name: string): Promise<void> {
  for (const [scheme, width] of [
    ['dark', 1280],
    ['dark', 390],
    ['light', 390],
    ['light', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: width < 500 ? 844 : 860 });
    await page.screenshot({ path: join(shots, `${scheme}-${width}-${name}.png`) });
    expect(await seriousFindings(page), `${name} ${scheme} ${width}`).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
}
async function goTo(path: string): Promise<void> {
  await page.goto(`${machines.appliance.url}${path}`);
  await page.locator('[data-testid=live-indicator][data-state=live]').first().waitFor({ state: 'attached' });
}
/** Copied onto the pool by somebody a while ago. */
async function putVmdk(): Promise<void> {
  const { appliance } = machines;
  const [{ mount_path: root } = { mount_path: '' }] = appliance.query<{ mount_path: string }>(
    'SELECT mount_path FROM pools',
  );
  const path = join(root, 'nas.vmdk');
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'vmdk', path, '10M']);
  const when = Date.now() / 1_000 - 60;
  utimesSync(path, when, when);
  await appliance.rest('POST', '/images/look');
}

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  machines = await startMachines();
  const { appliance } = machines;
  await mustSucceed(appliance, await appliance.rest('POST', '/vms', microRequest(machines.imageId)));
  machine = `/vms/${(await vmNamed(appliance, 'web'))?.id ?? ''}`;
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const [name = '', value = ''] = appliance.cookie.split('=');
  await context.addCookies([{ name, value, url: appliance.url }]);
  page = await context.newPage();
  await goTo(machine);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

describe('a machine', () => {
  it('is neither exported nor made a template while it is on, which its buttons say', async () => {
    await state('running').waitFor();
    for (const id of ['vm.export', 'vm.template', 'vm.clone'])
      expect(await page.getByTestId(id).getAttribute('aria-disabled')).toBe('true');
    const { appliance } = machines;
    await mustSucceed(appliance, await appliance.rest('POST', `${machine}/stop`, { graceSeconds: 0 }));
    await state('stopped').waitFor();
  });

  it('is exported as an image, which is shown with the way to download it', async () => {
    await page.getByTestId('vm.export').click();
    await dialog().getByLabel('Name').fill('my_web');
    await dialog().getByText('The name has an underscore.').first().waitFor();
    expect(await inDialog('Export').getAttribute('aria-disabled')).toBe('true');
    await dialog().getByLabel('Name').fill('golden');
    await dialog().getByText('The file is called golden.qcow2.').waitFor();
    await dialog().getByText('users, keys and passwords').waitFor();
    await lookAt('vm-export');
    await dialog().getByLabel('What').selectOption('ova');
    await dialog().getByText('The file is called golden.ova.').waitFor();
    await lookAt('vm-export-ova');
    await inDialog('Export').click();
    await row('golden.ova').getByText('Ready').waitFor();
    await row('golden.ova')
      .getByText(/Whole machine/)
      .waitFor();
    await goTo(machine);
    await page.getByTestId('vm.export').click();
    await dialog().getByLabel('Name').fill('golden');
    await inDialog('Export').click();
    await row('golden.qcow2').getByText('Ready').waitFor();
    await row('golden.qcow2')
      .getByRole('button', { name: /Download file/ })
      .waitFor();
    await goTo(machine);
    await page.getByTestId('vm.export').click();
    await dialog().getByLabel('Name').fill('golden');
    await inDialog('Export').click();
    await dialog()
      .getByText(/golden\.qcow2 is there already/)
      .first()
      .waitFor();
    await inDialog('Cancel').click();
  });

  it('becomes a template after it was said what that means', async () => {
    await page.getByTestId('vm.template').click();
    await dialog().getByText('It cannot be started any more').waitFor();
    await lookAt('vm-template');
    await inDialog('Make a template').click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByText('Template', { exact: true }).first().waitFor();
    await expect
      .poll(() => page.getByRole('button', { name: 'Start', exact: true }).getAttribute('aria-disabled'))
      .toBe('true');
  });

  it('is cloned with a disk that hangs on its own, which both say', async () => {
    await page.getByTestId('vm.clone').click();
    await dialog().getByLabel('Name').fill('web-2');
    expect(await dialog().getByLabel('Pool').count()).toBe(0);
    await dialog().getByText('which has to stay a template').waitFor();
    await lookAt('vm-clone-linked');
    await dialog().getByLabel('Disk').selectOption('copy');
    await dialog().getByLabel('Pool').waitFor();
    await dialog().getByLabel('Disk').selectOption('linked');
    await inDialog('Clone').click();
    await page.getByRole('heading', { name: 'web-2' }).waitFor();
    await state('stopped').waitFor();
    await page.getByRole('link', { name: 'web', exact: true }).first().waitFor();
    await lookAt('vm-linked');
    await goTo(machine);
    await expect.poll(() => page.getByTestId('vm.template').getAttribute('aria-disabled')).toBe('true');
    await page.getByTestId('vm.template').hover();
    await page
      .getByText(/These lie above its disk: web-2/)
      .first()
      .waitFor();
    await lookAt('vm-is-template');
  });
});

describe('a whole machine in a file', () => {
  it('is made again in the wizard, which proposes what the file says', async () => {
    await goTo('/vms/new');
    await page.getByRole('radio', { name: /golden\.ova/ }).check();
    await button('Next').click();
    const packed = page.getByTestId('packed-machine');
    await packed.getByText('Its checksums are compared before anything is copied.').waitFor();
    await packed.getByText(/1 CPU, 32 MiB of memory, 1 disk/).waitFor();
    expect(await page.getByLabel('CPUs').inputValue()).toBe('1');
    expect(await page.getByLabel('Memory, MiB').inputValue()).toBe('32');
    await page.getByLabel('Name').fill('again');
    await lookAt('vm-from-ova');
    await button('Next').click();
    await page.locator('[data-testid=plan-step][data-step=define]').waitFor();
    // The second click of a double click on "Next" lands where "Create machine" has come to lie.
    await page.mouse.down();
    await page.mouse.up();
    await expect.poll(() => button('Create machine').getAttribute('aria-disabled')).toBeNull();
    expect(await vmNamed(machines.appliance, 'again')).toBeUndefined();
    await button('Create machine').click();
    await page.getByRole('heading', { name: 'again' }).waitFor();
    await state('running').waitFor();
  });
});

describe('an image that no machine starts from', () => {
  it('is converted, and stays beside what was made of it', async () => {
    await putVmdk();
    await goTo('/images');
    await row('nas.vmdk').getByText('To be converted').waitFor();
    await row('nas.vmdk')
      .getByRole('button', { name: /Convert/ })
      .click();
    await dialog().getByText('stays as it is').waitFor();
    await lookAt('image-convert');
    await inDialog('Convert').click();
    await row('nas.qcow2').getByText('Ready').waitFor();
    await row('nas.vmdk').getByText('To be converted').waitFor();
  });
});
