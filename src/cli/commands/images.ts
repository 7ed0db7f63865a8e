import { Option } from 'commander';
import type { Image } from '$lib/shared/wire/images';
import type { Context } from '../context';
import { pick } from '../pick';
import { change } from '../run-operation';
import { inNaturalOrder, properties, table } from '../table';
import type { Noun } from '../verb';
import { size } from '../words';
import { poolOf } from './pools';

const IMAGE = 'Its name or its id';

export async function imageOf({ api }: Context, word = ''): Promise<Image> {
  const { images: all } = await api.get<{ images: Image[] }>('/images');
  return pick(all, word, {
    noun: 'image',
    names: (image) => [image.id, image.name, image.catalogId],
    label: (image) => image.name,
  });
}

export const images: Noun = {
  name: 'images',
  summary: 'What machines are made from',
  verbs: [
    {
      usage: 'list',
      summary: 'All images, also those of the catalog that are not here yet',
      isDefault: true,
      options: [new Option('--here', 'only those that are here')],
      async run({ api, show, width }, _words, { here }) {
        const { images: all } = await api.get<{ images: Image[] }>('/images');
        const shown = here ? all.filter(({ path }) => path !== null) : all;
        show({ images: shown }, () =>
          table<Image>(
            [
              { title: 'NAME', of: (image) => image.name, shrinks: true },
              { title: 'KIND', of: (image) => image.kind },
              { title: 'STATE', of: (image) => image.badge, state: true },
              { title: 'SIZE', of: (image) => size(image.sizeBytes), right: true },
              { title: 'POOL', of: (image) => image.pool?.label ?? null },
              { title: 'ID', of: (image) => image.id },
            ],
            inNaturalOrder(shown, ({ name }) => name),
            width,
          ),
        );
      },
    },
    {
      usage: 'show <image>',
      summary: 'One image',
      arguments: { image: IMAGE },
      async run(context, [word]) {
        const image = await imageOf(context, word);
        context.show(image, () =>
          properties([
            ['name', image.name],
            ['id', image.id],
            ['kind', image.kind],
            ['format', image.format],
            ['system', image.os ? `${image.os.name} ${image.os.version ?? ''}`.trim() : null],
            ['state', image.badge],
            ['', image.badgeText],
            ['pool', image.pool?.label ?? null],
            ['file', image.path],
            ['size', size(image.sizeBytes)],
            ['disk', size(image.virtualBytes)],
            ['from', image.url],
            ['user', image.defaultUser],
          ]),
        );
      },
    },
    {
      usage: 'get <image>',
      summary: 'Download an image of the catalog, or from an address, onto a pool',
      arguments: { image: 'Its name in the catalog, or an address' },
      options: [
        new Option('--pool <pool>', 'where it goes').makeOptionMandatory(),
        new Option('--checksum <sum>', 'SHA-256, SHA-512, or the address of a list that has it'),
      ],
      async run(context, [word = ''], { pool, checksum }) {
        const { poolGroupGuid: poolGuid } = await poolOf(context, String(pool));
        const from = /^https?:\/\//.test(word)
          ? { url: word }
          : { catalogId: (await imageOf(context, word)).catalogId ?? word };
        const body = { ...from, poolGuid, ...(checksum === undefined ? {} : { checksum }) };
        return change(context, { path: '/images', body });
      },
    },
    {
      usage: 'remove <image>',
      summary: 'Delete the file of an image; asks first',
      arguments: { image: IMAGE },
      async run(context, [word]) {
        const image = await imageOf(context, word);
        return change(context, {
          method: 'DELETE',
          path: `/images/${encodeURIComponent(image.id)}`,
          question: `Delete ${image.path ?? image.name} (${size(image.sizeBytes) ?? 'size unknown'})?`,
        });
      },
    },
  ],
};
