/** Asking over REST as a script does: again, with the confirm code that the refusal names. */
import type { Answer, Appliance } from '../support/appliance';

export async function confirmed(appliance: Appliance, path: string, body: object = {}): Promise<Answer> {
  const refused = await appliance.rest<{ error?: { details?: { confirmCode?: string } } }>(
    'POST',
    path,
    body,
  );
  const confirmCode = refused.body.error?.details?.confirmCode;
  return confirmCode ? appliance.rest('POST', path, { ...body, confirmCode }) : refused;
}
