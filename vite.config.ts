import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin, type ViteDevServer } from 'vite';
import { findHandle } from './src/lib/server/handle.ts';

/**
 * What src/main.ts does in production: the daemon runs before the first request, upgrades for our path go to its
 * sockets, and it ends with the server. Vite's own socket for hot reload shares the port and is left alone.
 */
function cairnDaemon(): Plugin {
  /** The first request makes Kit run the init hook, in the very copy of the modules that it serves from. */
  async function firstRequest(server: ViteDevServer): Promise<void> {
    const address = server.httpServer?.address();
    if (typeof address !== 'object' || address === null) return;
    const response = await fetch(`http://127.0.0.1:${address.port}/api/health`);
    if (!response.ok) throw new Error(`The daemon does not run: ${await response.text()}`);
    findHandle()?.serveLocally(server.middlewares);
  }
  return {
    name: 'cairn-daemon',
    apply: 'serve',
    configureServer(server) {
      const http = server.httpServer;
      // Without a server of its own Vite runs inside a test.
      if (!http) return;
      http.on('upgrade', (request, socket, head) => {
        findHandle()?.sockets.upgrade(request, socket, head);
      });
      http.once('listening', () => {
        firstRequest(server).catch((error: unknown) => {
          server.config.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
          process.exit(1);
        });
      });
      const stop = (signal: string) => () =>
        void findHandle()
          ?.stop(signal)
          .finally(() => process.exit(0));
      process.once('SIGTERM', stop('SIGTERM'));
      process.once('SIGINT', stop('SIGINT'));
    },
  };
}

/**
 * What several pages share travels in a few files instead of forty: fewer requests before the first page can be used. What
 * only pages of storage, or only those of machines have, stays out of the others. Dialogs and their library stay apart; they
 * are fetched when one is opened.
 */
const sharedChunks = [
  { name: 'base', test: /node_modules\/(svelte|@sveltejs\/kit|@trpc|esm-env|devalue|clsx)\//, priority: 2 },
  {
    name: 'shared',
    test: /^(?!.*Dialog).*(\/src\/lib\/(ui|client|shared|features\/(session|operations))\/|\/features\/(alerts|networks|system)\/[a-z-]+\.ts|@lucide\/)/,
    minShareCount: 2,
    priority: 2,
  },
  {
    name: 'machines',
    test: /^(?!.*Dialog).*\/src\/lib\/features\/(vms|removed-vms|vm-snapshots|consoles|images|networks)\//,
    minShareCount: 2,
    priority: 1,
  },
  { name: 'storage', test: /^(?!.*Dialog).*\/src\/lib\//, minShareCount: 2, priority: 0 },
];

export default defineConfig({
  plugins: [tailwindcss(), sveltekit(), cairnDaemon()],
  build: { target: 'es2023' },
  environments: {
    client: { build: { rolldownOptions: { output: { codeSplitting: { groups: sharedChunks } } } } },
  },
});
