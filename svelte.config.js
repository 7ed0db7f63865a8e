// SvelteKit 2 on purpose: version 3 refuses to build while this file exists, and this file is part of
// the project's fixed top level.
import { fileURLToPath } from 'node:url';
import node from '@sveltejs/adapter-node';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** The command `cairn`, one file with all that it needs. Beside the server, which is written anew by its adapter before. */
async function buildCommand() {
  const { build } = await import('vite');
  await build({
    configFile: false,
    logLevel: 'warn',
    resolve: { alias: { $lib: fileURLToPath(new URL('src/lib', import.meta.url)) } },
    ssr: { noExternal: true },
    build: {
      ...{ ssr: 'src/cli/cairn.ts', outDir: 'build/cli', target: 'node24', copyPublicDir: false },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
}

const server = node({ out: 'build', precompress: true });

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  kit: {
    adapter: {
      ...server,
      async adapt(builder) {
        await server.adapt(builder);
        await buildCommand();
      },
    },
    alias: { $plugins: 'plugins' },
    csp: {
      mode: 'auto',
      directives: {
        'default-src': ['self'],
        'script-src': ['self'],
        'style-src': ['self'],
        'style-src-elem': ['self', 'unsafe-inline'],
        'style-src-attr': ['unsafe-inline'],
        'img-src': ['self', 'data:', 'blob:'],
        'connect-src': ['self', 'ws:', 'wss:'],
        'font-src': ['self'],
        'object-src': ['none'],
        'base-uri': ['none'],
        'form-action': ['self'],
        'frame-ancestors': ['none'],
      },
    },
    // The hooks check Origin, Host and Sec-Fetch-Site for every method and content type, which Kit's own
    // check does for form posts only.
    csrf: { trustedOrigins: ['*'] },
  },
};
