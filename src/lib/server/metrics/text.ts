/** The text format of Prometheus, 0.0.4 (prometheus.io, Exposition formats). */
export type MetricType = 'gauge' | 'counter';
export interface Sample {
  labels?: Record<string, string>;
  value: number;
}
export interface Metric {
  /** Base units, `_total` for counters (prometheus.io, Metric and label naming). */
  name: string;
  help: string;
  type: MetricType;
  samples: Sample[];
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
const labelsOf = (labels: Record<string, string> = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
};

/** Families without a sample are left out: what is not known is absent, not zero. */
export const metricsText = (metrics: Metric[]): string =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}`),
        '',
      ].join('\n'),
    )
    .join('');
