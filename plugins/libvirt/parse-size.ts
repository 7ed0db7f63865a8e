/** `virsh domstats --raw --vcpu --balloon <id>`: what a domain has and can have, CPUs and KiB. Pure. */
const SIZE_FIELDS = ['vcpu.current', 'vcpu.maximum', 'balloon.current', 'balloon.maximum'] as const;
export type SizeField = (typeof SIZE_FIELDS)[number];
export type DomainSize = Record<SizeField, number>;

/** @throws Error when one of them is not there or no whole number */
export function parseSize(text: string): DomainSize {
  const valueOf = (field: SizeField): [SizeField, number] => {
    const lines = text.split('\n').filter((line) => line.trim().startsWith(`${field}=`));
    const value = /=(\d{1,15})$/.exec(lines.length === 1 ? (lines[0] ?? '') : '')?.[1];
    if (value === undefined) throw new Error(`it does not tell ${field}`);
    return [field, Number(value)];
  };
  return Object.fromEntries(SIZE_FIELDS.map(valueOf)) as DomainSize;
}
