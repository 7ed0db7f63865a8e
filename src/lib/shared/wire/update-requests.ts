import { z } from 'zod';

/** The version that the person was shown: another one is not installed in its place. */
const version = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, 'A version has three numbers, as 1.2.3.');
/** `whenIdle`: with operations at work, it waits for their end instead of being refused. */
export const applyUpdateRequest = z.object({ version, whenIdle: z.boolean().optional() });
/** `skip: false` takes it back. */
export const skipUpdateRequest = z.object({ version, skip: z.boolean().default(true) });
/** The code is needed where records are lost: of the plan, as its preview told it. */
export const rollBackRequest = z.object({ confirmCode: z.string().max(200).nullish() });
export type ApplyUpdateRequest = z.infer<typeof applyUpdateRequest>;
export type SkipUpdateRequest = z.infer<typeof skipUpdateRequest>;
