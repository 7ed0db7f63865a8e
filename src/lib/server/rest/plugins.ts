import { answer, json } from './answer';

export const listPlugins = answer('viewer', ({ services }) => json({ plugins: services.plugins.list() }));
