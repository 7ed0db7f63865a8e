import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const project = (name: string, extra: Record<string, unknown> = {}) => ({
  // Rune modules (*.svelte.ts) are compiled as in the product.
  plugins: [svelte()],
  resolve: { alias: { $lib: at('src/lib'), $plugins: at('plugins') } },
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`, ...(name === 'unit' ? ['test/architecture.test.ts'] : [])],
    environment: 'node',
    setupFiles: ['test/support/node-version.ts'],
    ...extra,
  },
});

// Tiers that use real devices run one file at a time: they share the machine's loop devices and mount table.
const serial = {
  ...{ fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 },
  // What is polled for comes when the machine has done it: a second, which is the default, is too little on a busy one.
  expect: { poll: { timeout: 20_000 } },
};

export default defineConfig({
  test: {
    projects: [
      // Generated cases take a while when other programs need the processor too.
      project('unit', { testTimeout: 20_000 }),
      project('integration', { testTimeout: 20_000 }),
      project('host', serial),
      // Each file has an appliance of its own and looks for leaks in that only, and waits half of its time: three run side by side.
      project('crash', {
        ...{ testTimeout: 1_500_000, hookTimeout: 120_000, maxWorkers: 3 },
        globalSetup: 'test/support/met-folder.ts',
      }),
      project('browser', { ...serial, testTimeout: 120_000 }),
      project('lab', { ...serial, testTimeout: 180_000, hookTimeout: 120_000 }),
    ],
  },
});
