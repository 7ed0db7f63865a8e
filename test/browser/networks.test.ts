/** A bridge is made, tried, kept and removed in the browser, on a host with a network card of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe';
import { CHROMIUM_OPTIONS } from '../support/browser';
import { expectNoLeaks, traces } from '../support/leaks';
import { startHost, type Machines } from '../support/machines';
import { openPage, shoot, SHOTS } from '../support/pages';

const before = traces();
let machines: Omit<Machines, 'imageId'>;
let browser: Browser | undefined;
let page: Page;
const CONFIGURATION = `auto lan0
iface lan0 inet static
    address 192.168.77.5/24
`;
const interfaces = (): string => readFileSync(machines.libvirt.interfaces, 'utf8');
const network = (id: string) => page.locator(`[data-testid=network][data-network="${id}"]`);
const dialog = () => page.getByRole('dialog');
const keep = () => page.getByRole('button', { name: 'Keep this network' });

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  machines = await startHost();
  const { libvirt } = machines;
  libvirt.ip('link', 'add', 'name', 'lan0', 'type', 'veth', 'peer', 'name', 'lan0-far');
  libvirt.ip('link', 'set', 'dev', 'lan0-far', 'up');
  writeFileSync(libvirt.interfaces, CONFIGURATION);
  libvirt.ifup('lan0');
  browser = await chromium.launch(CHROMIUM_OPTIONS);
  page = await openPage(browser, machines.appliance, '/networks', 'light', 1280);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

it('the plan of a bridge is shown before anything is done, and refusals are said at their field', async () => {
  await page.getByText('192.168.77.5/24').waitFor();
  await page.getByRole('button', { name: 'Make a bridge' }).click();
  await expect.poll(() => dialog().getByLabel('Name').inputValue()).toBe('br0');
  await dialog()
    .getByText(/Its addresses \(192\.168\.77\.5\/24\) move to the bridge/)
    .waitFor();
  await dialog().getByLabel('VLAN').fill('4095');
  await dialog().getByText('A tag is a number from 1 to 4094.').first().waitFor();
  await dialog().getByLabel('VLAN').fill('20');
  await expect.poll(() => dialog().getByLabel('Name').inputValue()).toBe('br20');
  await shoot(page, 'bridge-dialog');
  expect(await seriousFindings(page)).toEqual([]);
  await dialog().getByLabel('VLAN').fill('');
  await dialog().getByLabel('Name').fill('lan0');
  await dialog().getByRole('button', { name: 'Show the plan' }).click();
  await dialog().getByText('The host has a link lan0 already.').first().waitFor();
  await dialog().getByLabel('Name').fill('br0');
  await dialog().getByRole('button', { name: 'Show the plan' }).click();
  await dialog()
    .getByText(/ifdown.* lan0/)
    .waitFor();
  await dialog()
    .getByText(/otherwise everything is taken back by itself/)
    .waitFor();
  await shoot(page, 'bridge-plan');
  expect(interfaces()).toBe(CONFIGURATION);
});

it('a bridge is tried, kept by who still sees the page, and removed in the same way', async () => {
  await dialog().getByRole('button', { name: 'Make bridge' }).click();
  await page
    .getByTestId('check-in')
    .getByText(/Keep it within \d+ s/)
    .waitFor();
  await shoot(page, 'bridge-check-in');
  expect(await seriousFindings(page)).toEqual([]);
  await keep().click();
  await keep().waitFor({ state: 'detached' });
  await network('br0').getByText('192.168.77.5/24').waitFor();
  expect(interfaces()).toContain('iface br0 inet static');
  await shoot(page, 'bridge-made');

  await network('br0').getByRole('button', { name: 'Remove Bridge br0' }).click();
  await dialog()
    .getByText(/ifup.* lan0/)
    .waitFor();
  await dialog().getByRole('button', { name: 'Remove bridge' }).click();
  await keep().click();
  await network('br0').waitFor({ state: 'detached' });
  await expect.poll(interfaces).toBe(CONFIGURATION);
});
