/**
 * The text format of Prometheus, read strictly: names, types and label values by its grammar, each family whole and named
 * once, no sample twice, units and suffixes as the naming rules ask. It refuses all that `promtool check metrics` refuses
 * (held by test/unit/metrics, against what that has said), and what is no fault to it: a family without a type, percents.
 * @throws Error with the line that breaks a rule
 */
interface Family {
  name: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}
const NAME = /^[a-z_][a-z0-9_]*$/;
const LABEL = /([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
/** prometheus.io, Metric and label naming: base units, and no word that a type or a part of another kind of metric has. */
const NO_PART =
  /^(milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|days?|weeks?|(kilo|mega|giga|tera|peta|kibi|mebi|gibi|tebi)?bits?|(kilo|mega|giga|tera|peta|kibi|mebi|gibi|tebi)bytes?|percent|fahrenheit|kelvin|ms|us|ns|s|m|h|d|b|c|f|k|kb|mb|gb|tb|gauge|counter|histogram|summary|untyped)$/;
const NO_END = /_(count|sum|bucket)$/;

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
function requireName(name: string, type: string): void {
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`_total: ${name} is a ${type}`);
  if (NO_END.test(name)) throw new Error(`${name} ends like a part of a histogram`);
  const part = name.split('_').find((word) => NO_PART.test(word));
  if (part !== undefined) throw new Error(`${name}: "${part}" is no base unit, or a type`);
}

export function parseMetrics(text: string): Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: string | null = null;
  let current: Family | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') {
      if (!NAME.test(name) || families.has(name)) throw new Error(line);
      help = name;
    } else if (word === 'TYPE') {
      if (name !== help || families.has(name) || !['gauge', 'counter'].includes(rest)) throw new Error(line);
      requireName(name, rest);
      current = { name, type: rest, samples: [] };
      families.set(name, current);
    } else {
      const match = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line);
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
