/** Asks whether a server takes connections, in a program of its own: neither its name nor it may ever answer. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';

/** perl-base, which every Debian has, knows both kinds of addresses. */
export const PERL = '/usr/bin/perl';
const SCRIPT = `
use strict; use IO::Socket::IP;
my ($host, $port, $seconds) = @ARGV;
my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Proto => 'tcp', Timeout => $seconds);
if ($socket) { print "open\\n" } else { my $why = $@ || $!; $why =~ s/\\s+/ /g; print "closed $why\\n" }
`;
/** What the program itself may need on a busy machine, besides the wait for the connection. */
const MORE_MS = 3_000;

export type ServerAnswer = { answers: true } | { answers: false; why: string };

/** "closed Connection refused", "closed connect: timeout", "closed Name or service not known". */
export async function askServer(
  context: Pick<PluginContext, 'read'>,
  { server, port, seconds = 3 }: { server: string; port: number; seconds?: number },
): Promise<ServerAnswer> {
  let said: string;
  try {
    const asked = await context.read(PERL, ['-e', SCRIPT, '--', server, String(port), String(seconds)], {
      timeoutMs: seconds * 1_000 + MORE_MS,
    });
    said = asked.stdout.trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'command_timeout')
      return { answers: false, why: `The server ${server} does not answer.` };
    throw error;
  }
  if (said === 'open') return { answers: true };
  if (!/^closed\b/.test(said))
    throw new TypeError(`perl said something that is not understood: ${said.slice(0, 200)}`);
  const why = said.replace(/^closed\s*/, '').replace(/^IO::Socket::IP: */, '');
  if (/refused/i.test(why))
    return { answers: false, why: `The server ${server} refuses connections at port ${port}.` };
  if (/name|service|resolution|address associated/i.test(why))
    return { answers: false, why: `Nobody knows a server called ${server}.` };
  return {
    answers: false,
    why: `The server ${server} does not answer${/timeout|timed out|^$/i.test(why) ? '' : ` (${why})`}.`,
  };
}

/** done: it answers; foreign: the plan stops here, before anything is touched. */
export async function lookAtServer(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const server = String(args.server);
  const answer = await askServer(context, { server, port: Number(args.port), seconds: 15 });
  return answer.answers
    ? { status: 'done', evidence: `The server ${server} answers.` }
    : { status: 'foreign', evidence: `${answer.why} Switch it on, or correct its name.` };
}
