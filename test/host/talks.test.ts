/** Programs that are asked again and again over one start of them: perl plays one that can be typed at. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommands, type Commands } from '../../src/lib/server/host/command.ts';
import type { Talk } from '../../src/lib/plugin-api/index.ts';
import { PROGRAMS } from '../../src/lib/server/host/programs.ts';

// It writes what was typed, as programs with an editor for their command line do, and says its own number as an answer.
const SHELL = String.raw`
$| = 1;
while (defined(my $line = <STDIN>)) {
  print "> $line";
  chomp $line;
  my ($begin, $question, $end) = split /;/, $line;
  tr/_//d for $begin, $end;
  if ($question eq 'die') { print "${'$'}{begin}half"; exit 3 }
  if ($question eq 'complain') { print STDERR "error: no such machine\n" }
  if ($question eq 'silent') { sleep 60 }
  print $begin, ($question eq 'pid' ? "$$\n" : "é" x 200_000), $end, "> ";
}
`;
/** Started for one question, it says so. */
const ALONE = 'print "alone\n"';

let commands: Commands;
beforeAll(() => {
  commands = createCommands();
});
afterAll(() => commands.talks.close());

const talk = (question: string): Talk => ({
  argv: ['-e', SHELL],
  line: (begin, end) =>
    [begin, end].map((mark) => `${mark.slice(0, 1)}_${mark.slice(1)}`).join(`;${question};`),
});
const asked = async (question: string): Promise<string> =>
  (await commands.read(PROGRAMS.perl, ['-e', ALONE], { talk: talk(question) })).stdout;

describe('a program that answers over one start', () => {
  it('answers two questions, one after the other, in one process, and only the answer is told', async () => {
    const first = await asked('pid');
    expect(first).toMatch(/^\d+\n$/);
    expect(await asked('pid')).toBe(first);
  });

  it('answers questions that are asked at once, each its own', async () => {
    const all = await Promise.all(['pid', 'long', 'pid', 'long', 'pid'].map(asked));
    expect(all.map((answer) => (answer.startsWith('é') ? answer.length : 'pid'))).toEqual([
      'pid',
      200_000,
      'pid',
      200_000,
      'pid',
    ]);
  });

  it.each(['die', 'complain', 'silent'])(
    'is not believed when it does this: %s. A start of its own is asked, and the next question a new one',
    async (question) => {
      const before = await asked('pid');
      expect(await asked(question)).toBe('alone\n');
      const after = await asked('pid');
      expect(after).toMatch(/^\d+\n$/);
      expect(after).not.toBe(before);
    },
  );

  it('is not asked when the program is not in the list', async () => {
    await expect(commands.read('/usr/bin/printf', ['x'], { talk: talk('pid') })).rejects.toMatchObject({
      code: 'command_not_allowed',
    });
  });
});
