/** From when to when a machine may take to shut down. Milliseconds since the epoch. */
export interface VmStopTime {
  fromMs: number;
  untilMs: number;
}
