/** The plugins of the house keep the rules of the kit: so neither of them is wrong alone. */
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { Plugin } from '$lib/plugin-api/sdk';
import { rulesFor } from '$lib/server/conformance/rules';

const modules = import.meta.glob<{ default: (api: typeof sdk) => Plugin }>('/plugins/*/plugin.server.ts', {
  eager: true,
});
const SHARES = {
  nfs: { server: 'nas', export: '/srv/media' },
  smb: { server: 'nas', share: 'media', username: 'ann' },
};
const cases = Object.values(modules).flatMap((module) => {
  const plugin = module.default(sdk);
  return rulesFor(plugin, plugin.id === 'network-share' ? SHARES : {}).map(({ id, title, judge }) => ({
    of: plugin.id,
    id,
    title,
    judge,
  }));
});

describe('a plugin of the house', () => {
  it.each(cases)('$of $title', async ({ judge }) => {
    expect(await judge()).toEqual([]);
  });
});
