/** What people want of a machine, whatever is done to it. */
import { z } from 'zod';
import { HIGHEST_START_ORDER, LONGEST_START_DELAY_SECONDS } from '../vm-limits';
import { LONGEST_NOTES } from '../vm-labels';

/** `PUT /api/v1/vms/{id}/autostart`: those with a lower order start first, and the next one so much later. */
export const vmAutostart = z.strictObject({
  on: z.boolean(),
  order: z.int().min(0).max(HIGHEST_START_ORDER).default(0),
  delaySeconds: z.int().min(0).max(LONGEST_START_DELAY_SECONDS).default(0),
});
export type VmAutostart = z.infer<typeof vmAutostart>;
/** `PUT /api/v1/vms/{id}/labels` */
export const vmLabels = z.strictObject({
  tags: z.array(z.string().max(200)).max(200).default([]),
  notes: z.string().max(LONGEST_NOTES).default(''),
});
export type VmLabels = z.infer<typeof vmLabels>;
