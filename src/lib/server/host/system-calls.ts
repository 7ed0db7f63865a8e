/** Numbers of the system calls that our perl programs make themselves: perl-base has no module for them. */
interface SystemCalls {
  gettimeofday: number;
  fsync: number;
  prctl: number;
}
const NUMBERS: Partial<Record<NodeJS.Architecture, SystemCalls>> = {
  x64: { gettimeofday: 96, fsync: 74, prctl: 157 },
  arm64: { gettimeofday: 169, fsync: 82, prctl: 167 },
};

/** @throws TypeError on a processor that Cairn is not built for */
export function systemCalls(architecture: NodeJS.Architecture = process.arch): SystemCalls {
  const numbers = NUMBERS[architecture];
  if (!numbers) throw new TypeError(`no system call numbers for ${architecture}`);
  return numbers;
}
