/** What a machine can have besides what every machine has. */

/** sockets × cores × threads are its CPUs. */
export interface VmTopology {
  sockets: number;
  /** Of each socket. */
  cores: number;
  /** Of each core. */
  threads: number;
}
