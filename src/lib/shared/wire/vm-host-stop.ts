/** What becomes of a machine when the host goes down. */
import { z } from 'zod';
import { LONGEST_HOST_STOP_SECONDS } from '../vm-limits';

/** Of a machine of which nobody has said anything. */
export const HOST_STOP = { seconds: 60, otherwise: 'switch-off', startsAgain: false } as const;

/** `PUT /api/v1/vms/{id}/host-stop`: it is asked to shut down, and has so long; then it is switched off, or its memory is saved. */
export const vmHostStop = z.strictObject({
  seconds: z.int().min(1).max(LONGEST_HOST_STOP_SECONDS).default(HOST_STOP.seconds),
  otherwise: z.enum(['switch-off', 'save']).default(HOST_STOP.otherwise),
  /** At the next start of the host, when it ran; one that starts with the host does so anyway. */
  startsAgain: z.boolean().default(HOST_STOP.startsAgain),
});
export type VmHostStop = z.infer<typeof vmHostStop>;
export type HostStopThen = VmHostStop['otherwise'];
