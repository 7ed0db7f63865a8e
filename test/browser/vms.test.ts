/** A new user makes a machine, sees it run, and sees what virsh does to it; on every page size, in both themes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  addImage,
  deleteForGood,
  emptyCd,
  makePool,
  microRequest,
  mustSucceed,
  startHost,
  vmNamed,
  type Machines,
} from '../support/machines';
import { microGuest } from '../support/micro-guest';

const shots = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));
const before = traces();
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';
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
  await opened
    .locator('[data-testid=live-indicator][data-state=live]')
    .first()
    .waitFor({ state: 'attached' });
  return opened;
}
/** In both themes and on a phone: nothing that keeps somebody out, and nothing that runs out of the page. */
async function lookAt(path: string, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      const looked = await open(path, scheme, width);
      await looked.screenshot({ path: join(shots, `${scheme}-${width}-${name}.png`), fullPage: true });
      expect(await seriousFindings(looked), `${name} ${scheme} ${width}`).toEqual([]);
      expect(await looked.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await looked.context().close();
    }
}
const state = (name: string) => page.locator(`[data-testid=vm-state][data-state=${name}]`);
const tab = (name: string) => page.getByRole('navigation', { name: /^About/ }).getByRole('link', { name });
const button = (name: string) => page.getByRole('button', { name, exact: true });

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

describe('the machines', () => {
  it('are none at first, and the page leads to making one, and to what is needed for it', async () => {
    await page.getByText('No machine yet').waitFor();
    await lookAt('/vms', 'vms-empty');
    await page.getByRole('link', { name: 'New machine' }).click();
    await page.getByText('A pool first').waitFor();
    await makePool(machines.appliance);
    await page.getByText('No image is here yet').waitFor();
    expect(await button('Next').getAttribute('aria-disabled')).toBe('true');
    await page.screenshot({ path: join(shots, 'vms-new-no-image.png') });
    await button('Begin with an empty disk').click();
    await button('Next').click();
    await page.getByLabel('Processor').selectOption('Nehalem');
    await page.getByRole('radio', { name: /Known to every system/ }).check();
    await page.screenshot({ path: join(shots, 'vms-new-empty-disk.png'), fullPage: true });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: join(shots, 'dark-390-vms-new-empty-disk.png'), fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.getByLabel('Name').fill('desk');
    await page.getByLabel('Disk, GiB').fill('0.05');
    await button('Next').click();
    await page.getByText(/Its disk is empty/).waitFor();
    // At once: what was to be read is not there any more, and Next does not wait for it.
    await button('Image').click();
    await addImage(machines, 'Micro', microGuest(), 'cloud');
    await page.getByText('Micro', { exact: true }).waitFor();
  });

  it('are asked for step by step, and what is wrong is said where it is', async () => {
    await page.getByRole('radio', { name: /Micro/ }).check();
    await page.screenshot({ path: join(shots, 'vms-new-image.png') });
    await button('Next').click();
    await page.getByLabel('Processor').selectOption('');
    await page.getByLabel('Name').fill('my_web');
    await page.getByLabel('CPUs').fill('999');
    await page.getByLabel('CPUs').blur();
    await page.getByText('The name has an underscore.').first().waitFor();
    await page
      .getByText(/This host has \d+ CPUs\./)
      .first()
      .waitFor();
    expect(await button('Next').getAttribute('aria-disabled')).toBe('true');
    await page.getByLabel('Name').fill('web');
    await page.getByLabel('CPUs').fill('1');
    await page.getByLabel('Memory, MiB').fill('32');
    await page.getByLabel('Disk, GiB').fill('0.05');
    // More than the firmware has to have, and not even a system is on it.
    await page.getByRole('radio', { name: 'UEFI with secure boot' }).check();
    await page.getByLabel('Give it a TPM 2.0').check();
    await page.getByText('A machine that starts by UEFI needs 128 MiB').first().waitFor();
    expect(await button('Next').getAttribute('aria-disabled')).toBe('true');
    await page.getByLabel('Give it a TPM 2.0').uncheck();
    await page.getByRole('radio', { name: /^BIOS/ }).check();
    await button('Add a disk').click();
    const volume = page.getByTestId('new-volume');
    await volume.getByLabel('Size, GiB').fill('0');
    await volume.getByText('A disk cannot have 0 bytes.').waitFor();
    await page.getByText('Disk 2: A disk cannot have 0 bytes.').first().waitFor();
    await volume.getByLabel('Size, GiB').fill('0.0625');
    await volume.getByLabel('Mounted at').fill('/etc');
    await volume.getByText("The guest's own system needs /etc.").waitFor();
    await volume.getByLabel('Mounted at').fill('/srv/data');
    for (const [scheme, width] of [
      ['dark', 1280],
      ['light', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(shots, `${scheme}-${width}-vms-new-volume.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await volume.getByRole('button', { name: 'Remove disk 2' }).click();
    await page.screenshot({ path: join(shots, 'vms-new-hardware.png'), fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
    await button('Next').click();
    await page.getByLabel('Public SSH keys').fill('-----BEGIN OPENSSH PRIVATE KEY-----');
    await page.getByLabel('Public SSH keys').blur();
    await page
      .getByText(/private key: it stays where it is/)
      .first()
      .waitFor();
    await page.getByLabel('Public SSH keys').fill(KEY);
    await page.getByLabel('Password').fill('a guest password');
    await page.getByText('More for its first start').click();
    await page.getByLabel('Packages').fill('nginx rm;x');
    await page.getByText('"rm;x" cannot be the name of a package.').first().waitFor();
    await page.getByLabel('Packages').fill('nginx');
    await page.getByLabel('Cloud-config').fill('users: []');
    await page.getByText('Its address in the network').click();
    await page.getByRole('radio', { name: /Always the same/ }).check();
    await page.getByLabel('Address', { exact: true }).fill('192.168.7.0/24');
    await page.getByLabel('Gateway').fill('192.168.8.1');
    await page.getByLabel('Gateway').blur();
    await page.getByText('192.168.7.0/24 is the network itself').first().waitFor();
    await page.getByLabel('Address', { exact: true }).fill('192.168.7.10/24');
    await page
      .getByText(/192\.168\.8\.1 is in none of the networks/)
      .first()
      .waitFor();
    await page.screenshot({ path: join(shots, 'vms-new-address.png'), fullPage: true });
    await page.getByLabel('Gateway').fill('192.168.7.1');
    await page.getByLabel('Search domains').fill('home.arpa');
    await page.screenshot({ path: join(shots, 'vms-new-login.png'), fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('are gone on with where they were left, but for the password', async () => {
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(kept).toContain('ann@desk');
    expect(kept).not.toContain('a guest password');
    await page.reload();
    await page.getByTestId('draft').waitFor();
    await page.getByLabel('Public SSH keys').waitFor();
    expect(await page.getByLabel('Public SSH keys').inputValue()).toBe(KEY);
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    await page.screenshot({ path: join(shots, 'vms-new-draft.png'), fullPage: true });
    await button('Hardware').click();
    expect(await page.getByLabel('Name').inputValue()).toBe('web');
    await button('Next').click();
    await page.getByLabel('Password').fill('a guest password');
    await button('Next').click();
    await page.getByText('"users" is written from the fields above.').waitFor();
    expect(await button('Create machine').getAttribute('aria-disabled')).toBe('true');
    await button('Back').click();
    await page.getByLabel('Cloud-config').fill('runcmd: [[echo, "a: b"]]');
    await page.getByLabel('Password').fill('a guest password');
    await button('Next').click();
  });

  it('show their whole plan first, without the password, and nothing is made before', async () => {
    await page.locator('[data-testid=plan-step][data-step=define]').waitFor();
    await page.screenshot({ path: join(shots, 'vms-new-review.png'), fullPage: true });
    const text = (await page.locator('main').textContent()) ?? '';
    expect(text).toContain('qemu-img create');
    expect(text).not.toContain('a guest password');
    expect(text).not.toContain('$6$');
    expect(await seriousFindings(page)).toEqual([]);
    expect(await vmNamed(machines.appliance, 'web')).toBeUndefined();
  });

  it('run, with their history', async () => {
    await button('Create machine').click();
    await state('running').waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm');
    await tab('History').click();
    await page.getByRole('link', { name: /Create machine web/ }).waitFor();
    expect(machines.libvirt.domstate('web')).toBe('running');
    await tab('Overview').click();
    await page.getByTestId('vm-usage').waitFor();
    await lookAt('/vms', 'vms');
  });

  it('follow what virsh does to them at once, on their page and in the list', async () => {
    const list = await open('/vms', 'dark', 1280);
    const row = (name: string) => list.locator(`[data-testid=vm-row][data-state=${name}]`);
    await row('running').waitFor();
    machines.libvirt.virsh('destroy', 'web');
    const ended = Date.now();
    await Promise.all([state('stopped').waitFor(), row('stopped').waitFor()]);
    expect(Date.now() - ended).toBeLessThan(1_000);
    machines.libvirt.virsh('start', 'web');
    await Promise.all([state('running').waitFor(), row('running').waitFor()]);
    process.kill(machines.libvirt.pidOf('web'), 'SIGKILL');
    await Promise.all([state('crashed').waitFor(), row('crashed').waitFor()]);
    await page.getByText('Its process ended without having been asked to.').waitFor();
    await list.context().close();
  });

  it('are started and shut down with a click', async () => {
    await button('Start').click();
    await state('running').waitFor();
    const remove = button('Remove');
    expect(await remove.getAttribute('aria-disabled')).toBe('true');
    await machines.libvirt.guestListens('web');
    await button('Shut down').click();
    await state('stopped').waitFor();
  });

  it('are paused and go on with a click', async () => {
    await button('Start').click();
    await state('running').waitFor();
    await button('Pause').click();
    await state('paused').waitFor();
    expect(await button('Shut down').getAttribute('aria-disabled')).toBe('true');
    await lookAt(new URL(page.url()).pathname, 'vm-paused');
    await button('Resume').click();
    await state('running').waitFor();
    await button('Switch off').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
    await state('stopped').waitFor();
  });

  it('are saved with a click, and start anew when that is discarded', async () => {
    await button('Start').click();
    await state('running').waitFor();
    await button('Save').click();
    await state('saved').waitFor();
    await page.getByText('Its memory is kept: it goes on from there when it is started.').waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm-saved');
    await lookAt('/vms', 'vms-saved');
    await button('Discard memory').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await state('stopped').waitFor();
  });

  it('start with the host when that is wanted, and are protected', async () => {
    await page.getByText('It stays off until somebody starts it.').waitFor();
    await page.getByTestId('vm.autostart').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Start it with the host').check();
    await dialog.getByLabel('Delay, s').fill('x');
    await dialog.getByText('A whole number from 0 to 3600.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('Delay, s').fill('30');
    await page.screenshot({ path: join(shots, 'vms-autostart.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/starts by itself once its pool is there, .* next one 30 s after it/).waitFor();
    await page.getByText('It has 60 s to shut down; then it is switched off.').waitFor();
    await page.getByTestId('vm.host-stop').click();
    await dialog.getByLabel('Time to shut down, s').fill('0');
    await dialog.getByText('A whole number from 1 to 600.').waitFor();
    await dialog.getByLabel('Time to shut down, s').fill('20');
    await dialog.getByRole('radio', { name: 'Save its memory' }).check();
    await page.screenshot({ path: join(shots, 'vms-host-stop.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('It has 20 s to shut down; then its memory is saved.').waitFor();
    await page.getByTestId('vm.protect').click();
    await page.getByText('Protected against being removed.').waitFor();
    expect(await button('Remove').getAttribute('aria-disabled')).toBe('true');
    await lookAt(new URL(page.url()).pathname, 'vm-settings');
    await page.getByTestId('vm.protect').click();
    await page.getByText('It can be removed.').waitFor();
  });

  it('are found by their tags and notes', async () => {
    await page.getByTestId('vm.label').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Tags').fill('a/b');
    await dialog.getByText('"a/b" cannot be a tag.').first().waitFor();
    await dialog.getByLabel('Tags').fill('Media family');
    await dialog.getByLabel('Notes').fill('The films of Ann');
    await page.screenshot({ path: join(shots, 'vms-labels.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('family, media').waitFor();

    const imageId = (await vmNamed(machines.appliance, 'web'))?.image.id ?? '';
    await mustSucceed(
      machines.appliance,
      await machines.appliance.rest('POST', '/vms', microRequest(imageId, { name: 'other' })),
    );
    const list = await open('/vms', 'light', 1280);
    // Of the one that runs.
    await list.getByTestId('vm-spark').waitFor();
    expect(await list.getByTestId('vm-spark').count()).toBe(1);
    const rows = list.getByTestId('vm-row');
    await expect.poll(() => rows.count()).toBe(2);
    await list.getByRole('button', { name: 'media', exact: true }).click();
    await expect.poll(() => rows.count()).toBe(1);
    await list.getByLabel('Search machines').fill('nothing like it');
    await list.getByText('No machine is found by that').waitFor();
    await list.getByRole('button', { name: 'Show all machines' }).click();
    await list.getByLabel('Search machines').fill('FILMS off');
    await expect.poll(() => rows.count()).toBe(1);
    await list.context().close();
    await lookAt('/vms', 'vms-two');
    const { appliance } = machines;
    const other = (await vmNamed(appliance, 'other'))?.id ?? '';
    await mustSucceed(appliance, await appliance.rest('POST', `/vms/${other}/stop`, { graceSeconds: 0 }));
    await deleteForGood(appliance, other);
  });

  it('get another size while they are off', async () => {
    await page.getByTestId('vm.resize').click();
    const dialog = page.getByRole('dialog');
    const change = dialog.getByRole('button', { name: 'Change' });
    expect(await change.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('CPUs').fill('0');
    await dialog.getByText('A machine needs one CPU at least.').first().waitFor();
    await page.screenshot({ path: join(shots, 'vms-resize.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('CPUs').fill('2');
    await dialog.getByLabel('Memory, MiB').fill('48');
    await dialog.getByLabel('Set sockets, cores and threads').check();
    await dialog.getByLabel('Sockets', { exact: true }).fill('2');
    await dialog
      .getByText(/are 4, and the machine has 2 CPUs/)
      .first()
      .waitFor();
    await page.screenshot({ path: join(shots, 'vms-resize-topology.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('Cores of each').fill('1');
    await change.click();
    await page.getByText('2 CPUs, 48 MiB.').waitFor();
    await tab('Hardware').click();
    await page.getByTestId('vm-cpus').getByText('2 sockets × 1 core × 1 thread').waitFor();
    await tab('Overview').click();
  });

  it('are cloned while they are off, under a name of their own', async () => {
    const { pathname } = new URL(page.url());
    await page.getByTestId('vm.clone').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/cloud-init takes it for a new machine/).waitFor();
    const clone = dialog.getByRole('button', { name: 'Clone', exact: true });
    await dialog.getByLabel('Name').fill('web');
    await dialog.getByText('There is a machine called "web" already.').first().waitFor();
    expect(await clone.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('Name').fill('web-2');
    await page.screenshot({ path: join(shots, 'vms-clone.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await clone.click();
    await page.getByRole('heading', { name: 'web-2' }).waitFor();
    await state('stopped').waitFor();
    await page.getByText('a full copy of the image').waitFor();
    const { appliance } = machines;
    const made = await vmNamed(appliance, 'web-2');
    await deleteForGood(appliance, made?.id ?? '');
    await page.goto(`${appliance.url}${pathname}`);
    await state('stopped').waitFor();
  });

  it('show what their engine keeps of them', async () => {
    await tab('Definition').click();
    await page.getByTestId('vm-definition').getByText('<name>web</name>').waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm-definition');
  });

  it('show what cloud-init was told of them, and who is in which network', async () => {
    await tab('Cloud-init').click();
    const told = page.getByTestId('vm-cloud-init');
    await told.getByText(/192\.168\.7\.10\/24/).waitFor();
    expect(await told.textContent()).not.toContain('a guest password');
    await lookAt(new URL(page.url()).pathname, 'vm-cloud-init');
    await page.getByRole('link', { name: 'Networks' }).first().click();
    await page.getByTestId('network').getByRole('link', { name: 'web' }).waitFor();
    await lookAt('/networks', 'networks');
    await page.goBack();
    await told.waitFor();
  });

  it('get a larger disk, and are never offered a smaller one', async () => {
    await tab('Hardware').click();
    await page.getByTestId('vm.grow-disk').click();
    const dialog = page.getByRole('dialog');
    const enlarge = dialog.getByRole('button', { name: 'Enlarge' });
    expect(await enlarge.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('New size, GiB').fill('0.01');
    await dialog.getByText('a disk cannot be made smaller').first().waitFor();
    await page.screenshot({ path: join(shots, 'vms-grow-disk.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('New size, GiB').fill('0.125');
    await enlarge.click();
    await page.getByTestId('vm-disk').getByText('Disk 1, 128 MiB').waitFor();
  });

  it('get another disk, and lose it after its file was named and typed', async () => {
    const disks = page.getByTestId('vm-disk');
    expect(
      await disks
        .first()
        .getByRole('button', { name: /Remove/ })
        .count(),
    ).toBe(0);
    await page.getByTestId('vm.add-disk').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Size, GiB').fill('100');
    await dialog
      .getByText(/The pool has .* free; it would need 100 GiB more/)
      .first()
      .waitFor();
    await dialog.getByLabel('Size, GiB').fill('0.0625');
    await page.screenshot({ path: join(shots, 'vms-add-disk.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Add disk' }).click();
    await disks.getByText('Disk 2, 64 MiB').waitFor();
    await disks
      .last()
      .getByText(/disk-2\.qcow2 · .* used/)
      .waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm-disks');
    await page.getByTestId('vm.remove-disk').click();
    await dialog.getByText(/disk-2\.qcow2, with everything that is on it/).waitFor();
    const go = dialog.getByRole('button', { name: 'Remove disk' });
    expect(await go.getAttribute('aria-disabled')).toBe('true');
    await page.screenshot({ path: join(shots, 'vms-remove-disk.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('Type disk-2.qcow2 to confirm').fill('disk-2.qcow2');
    await go.click();
    await expect.poll(() => disks.count()).toBe(1);
  });

  it('get another network card with a click, and lose it after a question', async () => {
    const cards = page.getByTestId('vm-card');
    await cards.getByText(/^52:54:00/).waitFor();
    const { libvirt } = machines;
    libvirt.ip('link', 'add', 'br7', 'type', 'bridge');
    libvirt.ip('address', 'add', '192.168.7.5/24', 'dev', 'br7');
    await page.getByTestId('vm.add-card').click();
    const dialog = page.getByRole('dialog');
    // It is there without a reload.
    await dialog.getByLabel('Network').selectOption({ label: 'Bridge br7 (192.168.7.5/24)' });
    await dialog.getByLabel('MAC address').fill('01:00:5e:00:00:01');
    await dialog
      .getByText(/address of a group/)
      .first()
      .waitFor();
    expect(await button('Add card').last().getAttribute('aria-disabled')).toBe('true');
    await page.screenshot({ path: join(shots, 'vms-add-card.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('MAC address').fill('52-54-00-07-07-07');
    await dialog.getByRole('button', { name: 'Add card' }).click();
    await cards.getByText(/52:54:00:07:07:07 · in the network of the bridge br7/).waitFor();
    libvirt.ip('link', 'delete', 'br7');
    await cards.getByText('its bridge br7 is not there').waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm-cards');
    await cards.last().getByTestId('vm.move-card').click();
    await dialog.getByLabel('Network').selectOption('');
    await dialog.getByRole('button', { name: 'Plug in' }).click();
    await cards.getByText(/52:54:00:07:07:07 · shares the host/).waitFor();
    await cards.last().getByTestId('vm.remove-card').click();
    await dialog.getByText(/cannot be reached by 52:54:00/).waitFor();
    await page.screenshot({ path: join(shots, 'vms-remove-card.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Remove card' }).click();
    await expect.poll(() => cards.count()).toBe(1);
  });

  it('are started from what somebody chooses, in the order that it is put in', async () => {
    const boot = page.getByTestId('vm-boot').locator('li');
    await page.getByTestId('vm.boot-order').click();
    const dialog = page.getByRole('dialog');
    const change = dialog.getByRole('button', { name: 'Change' });
    expect(await change.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByRole('button', { name: 'Also from Network card 1' }).click();
    await dialog.getByRole('button', { name: 'Network card 1 earlier' }).click();
    await dialog.getByRole('button', { name: 'Not from CD drive' }).click();
    await page.screenshot({ path: join(shots, 'vms-boot-order.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await change.click();
    await boot.nth(1).and(page.locator('[data-device=card-1]')).waitFor();
    expect(await boot.count()).toBe(2);
    await lookAt(new URL(page.url()).pathname, 'vms-hardware');
  });

  it('have a CD put into their drive, and ejected', async () => {
    const drive = page.getByTestId('vm-cd');
    await drive.getByText('Empty.').waitFor();
    await page.getByTestId('vm.insert-cd').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('No ISO image is here yet').waitFor();
    await page.screenshot({ path: join(shots, 'vms-cd-none.png') });
    await addImage(machines, 'Installer', emptyCd(), 'iso');
    await dialog.getByLabel('ISO image').waitFor();
    await page.screenshot({ path: join(shots, 'vms-cd.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Insert', exact: true }).click();
    await drive.getByText('Installer').waitFor();
    await lookAt(new URL(page.url()).pathname, 'vm-cd');
    await page.getByTestId('vm.eject-cd').click();
    await drive.getByText('Empty.').waitFor();
  });

  it('are removed and kept for a while, and come back as they were', async () => {
    await button('Remove').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/are kept in .*\.removed.* for 7 days/).waitFor();
    await dialog.getByText(/Kept: .*disk\.qcow2/).waitFor();
    await dialog.getByText('The image "Micro" stays.').waitFor();
    await page.screenshot({ path: join(shots, 'vms-remove.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Remove machine' }).click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    expect(machines.libvirt.domstate('web')).toBeNull();
    await page.goto(`${machines.appliance.url}/vms`);
    await page.getByText('No machine yet').waitFor();
    await page.getByText(/1 removed machine still takes/).waitFor();
    await page.getByRole('link', { name: 'Bring back, or delete for good' }).click();
    await page.getByTestId('removed-vm').getByText('web', { exact: true }).waitFor();
    await lookAt('/vms/removed', 'vms-removed');
    await page.getByTestId('removed-vm.bring-back').click();
    await dialog.getByText('It is off when it is back.').waitFor();
    await page.screenshot({ path: join(shots, 'vms-bring-back.png') });
    await dialog.getByRole('button', { name: 'Bring back' }).click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    expect(machines.libvirt.domstate('web')).toBe('shut off');
  });

  it('are deleted for good only after each file was named and the name typed', async () => {
    const id = (await vmNamed(machines.appliance, 'web'))?.id ?? '';
    await page.goto(`${machines.appliance.url}/vms/${id}`);
    await button('Remove').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'Delete it now' }).check();
    await dialog.getByText(/machines\/web\/disk\.qcow2, a disk of/).waitFor();
    await page.screenshot({ path: join(shots, 'vms-remove-for-good.png') });
    const go = dialog.getByRole('button', { name: 'Delete for good' });
    expect(await go.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('Type web to confirm').fill('web');
    await go.click();
    await page.locator('[data-testid=operation-state][data-state=succeeded]').waitFor();
    expect(machines.libvirt.domstate('web')).toBeNull();
    await page.goto(`${machines.appliance.url}/vms`);
    await page.getByText('No machine yet').waitFor();
  });

  it('are not said to be none while nobody can tell: why, and what to do, until libvirt is back', async () => {
    await machines.libvirt.killLibvirtd();
    await page.getByText('No machine can be run now').waitFor();
    await page.getByText('Nobody can tell which machines there are').waitFor();
    await page.getByText(/systemctl start libvirtd/).waitFor();
    expect(await page.getByText('No machine yet').count()).toBe(0);
    await lookAt('/vms', 'vms-no-engine');
    await machines.libvirt.startLibvirtd();
    await page.getByText('No machine yet').waitFor();
    expect(await page.getByText('No machine can be run now').count()).toBe(0);
  });
});
