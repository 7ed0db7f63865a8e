import { answerCall, refuseMethod } from '$lib/server/trpc/request';

export const GET = answerCall;
export const POST = answerCall;
export const fallback = refuseMethod;
