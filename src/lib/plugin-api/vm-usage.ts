/** What machines that are on use, and where they are reached, as plugins tell of it. */

/** What a machine that is on has used since it was switched on; counters only grow until then. */
export interface VmUsage {
  id: string;
  /** Of all its CPUs together, nanoseconds. */
  cpuNs: number;
  /** Of the host, that its process holds; null: not known. */
  memoryBytes: number | null;
  /** Of all disks. */
  readBytes: number;
  writtenBytes: number;
  /** Of all network cards, as the machine sees it. */
  receivedBytes: number;
  sentBytes: number;
}

/** IPv4 and IPv6, without the length of their network. */
export interface VmAddresses {
  id: string;
  addresses: string[];
}
