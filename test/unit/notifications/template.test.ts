import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Worded } from '$lib/server/notifications/message';
import { fillTemplate } from '$lib/server/notifications/template';

const message: Worded = {
  ...{ id: '1', event: 'raised', severity: 'warning', subject: 'tank', host: 'nas' },
  ...{ title: '', text: '', remedy: null, since: 0, at: 0, link: null },
};

it('whatever an alert says, the body keeps the shape of the template and carries the text whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (title) => {
      const filled: unknown = JSON.parse(
        fillTemplate('{"a":["{{ title }}"],"b":{"c":"<{{title}}>"},"d":true}', { ...message, title }),
      );
      expect(filled).toEqual({ a: [title], b: { c: `<${title}>` }, d: true });
    }),
  );
});
