import { describe, expect, it } from 'vitest';
import { dropDraft, keepDraft, keptDraft, type Draft } from '$lib/features/vms/draft';
import { isFound, tagsOf } from '$lib/features/vms/search';
import { tagIssues, tagsIn } from '$lib/shared/vm-labels';
import type { Vm } from '$lib/shared/wire/vms';

describe('tags', () => {
  it('are words, each once, in small letters and natural order', () => {
    expect(tagsIn(' Media, web-10 web-9  media,')).toEqual(['media', 'web-9', 'web-10']);
    expect(tagsIn(' , ')).toEqual([]);
  });
  it.each(['-x', '.x', 'a/b', '<b>', 'x'.repeat(33), '\u0000'])('cannot be %j', (tag) => {
    expect(tagIssues([tag]).map(({ code }) => code)).toEqual(['tag_invalid']);
  });
  it('can be in any script, but not too many', () => {
    expect(tagIssues(['família', '家', 'a.b_c-1'])).toEqual([]);
    const many = Array.from({ length: 17 }, (_, index) => `t${index}`);
    expect(tagIssues(many).map(({ code }) => code)).toEqual(['tags_too_many']);
  });
});

describe('a search', () => {
  const vm = {
    ...{ name: 'web-9', tags: ['media'], notes: 'The films of Ann', addresses: ['192.0.2.7'] },
    ...{ image: { id: 'i', name: 'Debian 13' }, pool: { guid: 'g', label: 'Tank' }, state: 'running' },
  } as Vm;
  it.each(['', '  ', 'WEB', 'media run', 'films', '192.0.2', 'debian tank'])('for %j finds it', (words) => {
    expect(isFound(vm, words)).toBe(true);
  });
  it.each(['web-10', 'media off', 'paused'])('for %j does not', (words) => {
    expect(isFound(vm, words)).toBe(false);
  });
  it('offers each tag once', () => {
    expect(tagsOf([vm, { ...vm, tags: ['media', 'a'] }])).toEqual(['a', 'media']);
  });
});

describe('what somebody has begun to fill in', () => {
  const draft: Draft = {
    ...{ id: 'x', stage: 'hardware', imageId: 'i', poolGuid: null, name: 'web', cpus: '1' },
    topology: { sockets: '1', cores: '1', threads: '1' },
    ...{ memoryMib: '1024', diskGib: '10', disk: 'overlay', user: 'ann', keys: '', packages: '', more: '' },
  };
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  it('is there again, until it is dropped', () => {
    expect(keptDraft(storage)).toBeNull();
    keepDraft(draft, storage);
    expect(keptDraft(storage)).toEqual(draft);
    dropDraft(storage);
    expect(keptDraft(storage)).toBeNull();
  });
  it('is nothing when an older version, or somebody else, has written it', () => {
    for (const text of [
      '{',
      '7',
      '{"id":"x"}',
      JSON.stringify({ ...draft, cpus: 1 }),
      JSON.stringify({ ...draft, topology: {} }),
    ]) {
      kept.set('cairn-new-vm', text);
      expect(keptDraft(storage)).toBeNull();
    }
  });
  it('is not kept where nothing can be, and nobody is bothered with that', () => {
    const full = () => {
      throw new Error('QuotaExceededError');
    };
    keepDraft(draft, { setItem: full });
    expect(keptDraft({ getItem: full })).toBeNull();
    dropDraft({ removeItem: full });
  });
});
