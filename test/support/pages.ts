/** Pages of an appliance in Chromium, signed in as its first administrator. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { Appliance } from './appliance';

export const SHOTS = fileURLToPath(new URL('../artifacts/screenshots', import.meta.url));

export async function openPage(
  browser: Browser | undefined,
  appliance: Appliance,
  path: string,
  colorScheme: 'dark' | 'light',
  width: number,
): Promise<Page> {
  if (!browser) throw new Error('the browser is not there');
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

/** The page as it is, in both themes and as a phone and a desk see it. */
export async function shoot(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  for (const colorScheme of ['dark', 'light'] as const)
    for (const width of [390, 1280]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width < 500 ? 844 : 860 });
      await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`) });
    }
  if (before) await page.setViewportSize(before);
}
