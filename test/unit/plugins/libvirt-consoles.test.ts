import { describe, expect, it } from 'vitest';
import { parseDisplay, parseTerminal } from '$plugins/libvirt/consoles';

describe('where libvirt has a screen', () => {
  it.each([
    [
      'a socket',
      'vnc+unix:///run/libvirt/qemu/domain-1-web/vnc.sock\n',
      '/run/libvirt/qemu/domain-1-web/vnc.sock',
    ],
    ['a name with a space', 'vnc+unix:///var/lib/a b/vnc.sock\n', '/var/lib/a b/vnc.sock'],
  ])('is %s', (_title, text, path) => {
    expect(parseDisplay(text)).toEqual({ at: 'socket', path });
  });
  it.each([
    ['none', '\n'],
    ['a port of the network, which is not shown', 'vnc://127.0.0.1:0\n'],
  ])('is %s', (_title, text) => {
    expect(parseDisplay(text)).toBeNull();
  });
  it.each(['spice://127.0.0.1:5900', 'vnc+unix://relative', 'error: what?', 'vnc+unix:///a\nvnc+unix:///b'])(
    'is never guessed: %j is an error',
    (text) => {
      expect(() => parseDisplay(text)).toThrow('the address');
    },
  );
});

describe('where libvirt has a serial line', () => {
  it('is a terminal, or nowhere', () => {
    expect(parseTerminal('/dev/pts/12\n')).toEqual({ at: 'terminal', path: '/dev/pts/12' });
    expect(parseTerminal('\n')).toBeNull();
  });
  it.each(['/dev/sda', '/dev/pts/../sda', 'pts/1', '/dev/pts/1 2'])(
    'is never guessed: %j is an error',
    (text) => {
      expect(() => parseTerminal(text)).toThrow('the terminal');
    },
  );
});
