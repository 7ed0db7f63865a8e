/** Where QEMU lets programs of this host at a machine's screen and serial line. Pure but for the questions to virsh. */
import type { ConsoleEndpoint, ConsoleKind, PluginContext } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { VIRSH, virsh } from './virsh';

const SOCKET = /^vnc\+unix:\/\/(\/.+)$/;
/** One on a port of the network is somebody else's: it may be shared with them, and has a password that we do not know. */
const PORT = /^vnc:\/\//;
const TERMINAL = /^\/dev\/pts\/\d+$/;

/** `virsh domdisplay --type vnc`: a line with an address, or none. @throws Error for anything else */
export function parseDisplay(text: string): ConsoleEndpoint | null {
  const line = text.trim();
  const path = SOCKET.exec(line)?.[1];
  if (path) return { at: 'socket', path };
  if (line === '' || PORT.test(line)) return null;
  throw new Error(`the address ${JSON.stringify(line)}`);
}

/** `virsh ttyconsole`: the path of a pseudo-terminal, or nothing. @throws Error for anything else */
export function parseTerminal(text: string): ConsoleEndpoint | null {
  const line = text.trim();
  if (line === '') return null;
  if (TERMINAL.test(line)) return { at: 'terminal', path: line };
  throw new Error(`the terminal ${JSON.stringify(line)}`);
}

export function consolesOf(sdk: PluginSdk) {
  const display = sdk.defineParser('virsh domdisplay', parseDisplay);
  const terminal = sdk.defineParser('virsh ttyconsole', parseTerminal);
  return async (context: PluginContext, id: string, kind: ConsoleKind): Promise<ConsoleEndpoint | null> => {
    const words = kind === 'vnc' ? ['domdisplay', '--type', 'vnc', id] : ['ttyconsole', id];
    const { stdout } = await context.read(VIRSH, virsh(...words));
    return kind === 'vnc' ? display(stdout) : terminal(stdout);
  };
}
