// SvelteKit 2 on purpose: version 3 refuses to build while this file exists, and this file is part of
// the project's fixed top level.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import node from '@sveltejs/adapter-node';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/**
 * The command `cairn`, and what it starts to check a plugin: each one file with all that it needs. Beside the server, which is
 * written anew by its adapter before.
 */
async function buildCommand() {
  const { build } = await import('vite');
  for (const entry of ['src/cli/cairn.ts', 'src/check-plugin.ts'])
    await build({
      configFile: false,
      logLevel: 'warn',
      resolve: { alias: { $lib: fileURLToPath(new URL('src/lib', import.meta.url)) } },
      ssr: { noExternal: true },
      build: {
        ...{ ssr: entry, outDir: 'build/cli', target: 'node24', copyPublicDir: false, emptyOutDir: false },
        rolldownOptions: { output: { codeSplitting: false } },
      },
    });
}

/** What the editor of whoever writes a plugin knows of the contract: one file, which `cairn plugins new` puts beside the plugin. */
async function bundlePluginTypes() {
  const { generateDtsBundle } = await import('dts-bundle-generator');
  const [types = ''] = generateDtsBundle(
    [
      {
        filePath: 'src/lib/plugin-api/sdk.ts',
        noCheck: true,
        output: { noBanner: true, exportReferencedTypes: true },
      },
    ],
    { preferredConfigPath: 'src/lib/plugin-api/tsconfig.types.json' },
  );
  const head = '/** The types of the plugin API of Cairn, version 1. Written by Cairn: do not edit. */\n';
  writeFileSync('build/cli/plugin-api.d.ts', head + types);
}

/**
 * An icon of lucide as it stands: its own component builds it from data, attribute by attribute, which was two thirds of the
 * time that a row of a list took. It takes `class` and `strokeWidth`, and is for the eye only (lucide's default).
 */
const plainIcons = {
  name: 'plain-icons',
  /** @param {{ content: string, filename?: string }} file */
  markup({ content, filename = '' }) {
    if (!/\/@lucide\/svelte\/dist\/icons\/[a-z0-9-]+\.svelte$/.test(filename)) return;
    const data = /^const iconData = (\{.*\});$/m.exec(content)?.[1];
    if (!data) throw new Error(`${filename} is no icon as this expects them.`);
    /** @type {{ name: string, size: number, node: [string, Record<string, string>][] }} */
    const { name, size, node } = JSON.parse(data);
    const shapes = node.map(
      ([tag, attributes]) =>
        `<${tag} ${Object.entries(attributes)
          .map(([key, value]) => `${key}="${value}"`)
          .join(' ')}/>`,
    );
    return {
      code: `<script>let { class: extra = '', strokeWidth = 2 } = $props();</script>
<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${size} ${size}" fill="none"
  stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
  stroke-width={strokeWidth} class="lucide-icon lucide-${name} {extra}">${shapes.join('')}</svg>
`,
    };
  },
};

const server = node({ out: 'build', precompress: true });

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: [plainIcons, vitePreprocess()],
  kit: {
    adapter: {
      ...server,
      async adapt(builder) {
        await server.adapt(builder);
        await buildCommand();
        await bundlePluginTypes();
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
