import { describe, expect, it } from 'vitest';
import { isUndoWords, ownWork, UNDO_WORDS } from '$lib/shared/undo-words';

describe('what a step does', () => {
  it('is a sentence where Cairn does it itself, and a command where a program does', () => {
    expect(ownWork(': wait until the kernel has finished')).toBe('Wait until the kernel has finished.');
    expect(ownWork('/usr/sbin/wipefs --all -- /dev/sda')).toBeNull();
    expect(ownWork(': > /etc/motd\nrm -- /etc/motd')).toBeNull();
  });

  it('is taken back by words or by a command, which look different', () => {
    expect(isUndoWords(UNDO_WORDS.impossible)).toBe(true);
    expect(isUndoWords('rm -- /srv/a')).toBe(false);
  });
});
