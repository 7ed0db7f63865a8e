import { answerCall } from '$lib/server/trpc/request';

export const GET = answerCall;
export const POST = answerCall;
