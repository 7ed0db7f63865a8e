/**
 * The text format of Prometheus, read strictly: names, types and label values by its grammar, each family whole and named
 * once, no sample twice, units and `_total` as the naming rules ask. @throws Error with the line that breaks a rule
 */
interface Family {
  name: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}
const NAME = /^[a-z_:][a-z0-9_:]*$/;
const LABEL = /([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length;) {
    const match = LABEL.exec(text);
    if (!match) throw new Error(`labels: ${text}`);
    const [, name = '', value = ''] = match;
    if (name in labels || name.startsWith('__')) throw new Error(`label ${name}: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter));
  }
  return labels;
}

export function parseMetrics(text: string): Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: string | null = null;
  let current: Family | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') {
      if (!NAME.test(name) || families.has(name)) throw new Error(line);
      help = name;
    } else if (word === 'TYPE') {
      if (name !== help || !['gauge', 'counter'].includes(rest)) throw new Error(line);
      if ((rest === 'counter') !== name.endsWith('_total')) throw new Error(`_total: ${line}`);
      current = { name, type: rest, samples: [] };
      families.set(name, current);
    } else {
      const match = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      const value = Number(match?.[3]);
      if (!match || !current || match[1] !== current.name || !Number.isFinite(value)) throw new Error(line);
      const key = `${match[1]}{${match[2] ?? ''}}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      current.samples.push({ labels: labelsOf(match[2] ?? ''), value });
    }
  }
  return [...families.values()];
}
