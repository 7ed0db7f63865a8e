import { answer, json } from './answer';

/** Looks now: a moment, some seconds where a program is slow. */
export const getDoctor = answer('operator', async ({ services }) => json(await services.doctor.check()));
