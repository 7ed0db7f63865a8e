import { z } from 'zod';

/** The version that the person was shown: another one is not installed in its place. */
export const applyUpdateRequest = z.object({
  version: z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, 'A version has three numbers, as 1.2.3.'),
});
/** The code is needed where records are lost: of the plan, as its preview told it. */
export const rollBackRequest = z.object({ confirmCode: z.string().max(200).nullish() });
export type ApplyUpdateRequest = z.infer<typeof applyUpdateRequest>;
