import { resetPassword } from '$lib/server/rest/users';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = resetPassword;
export const fallback = notAllowed('POST');
