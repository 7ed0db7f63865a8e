import type { UpdateView } from '$lib/shared/wire/updates';
import { printable, properties } from '../table';
import type { Noun } from '../verb';
import { time } from '../words';

const WORDS: Record<UpdateView['state'], string> = {
  unknown: 'nothing was offered yet',
  current: 'this is the newest version',
  available: 'there is a newer version',
  unsuitable: 'there is a newer version, not for this host as it is',
};
const textOf = ({ version, channel, checkedAt, state, why, failure, offered }: UpdateView): string => {
  const isNewer = offered !== null && (state === 'available' || state === 'unsuitable');
  const facts = properties([
    ['version', version],
    ['channel', channel === null ? 'none: nobody is asked' : printable(channel)],
    ['last look', time(checkedAt)],
    ['result', failure ? printable(failure.message) : (why ?? WORDS[state])],
    ['offered', isNewer ? `${offered.version}, released ${offered.date.slice(0, 10)}` : null],
  ]);
  if (!isNewer) return facts;
  const notes = offered.notes.split('\n').map(printable).join('\n').trim();
  const place = channel?.replace(/\/$/, '');
  const how =
    state === 'available' && offered.file && place
      ? `To install it: install.sh --from ${printable(`${place}/${offered.file.name}`)}`
      : '';
  return [facts, notes, how].filter(Boolean).join('\n\n');
};

export const update: Noun = {
  name: 'update',
  summary: 'Newer versions of Cairn',
  verbs: [
    {
      usage: 'show',
      summary: 'The version that runs, and what was offered last',
      isDefault: true,
      async run({ api, show }) {
        const view = await api.get<UpdateView>('/updates');
        show(view, () => textOf(view));
      },
    },
    {
      usage: 'check',
      summary: 'Ask the channel now; installs nothing',
      async run({ api, show }) {
        const view = await api.send<UpdateView>('POST', '/updates/check');
        show(view, () => textOf(view));
      },
    },
  ],
};
