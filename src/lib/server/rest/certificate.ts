import { certificateRequest } from '$lib/shared/wire/certificates';
import type { Operation } from '$lib/shared/wire/operations';
import { answer, json } from './answer';
import { readJson } from './body';

/** `{"certificate"}`: fingerprint, names and end of the one in use; null where Cairn is served without TLS. */
export const getCertificate = answer('viewer', ({ services }) =>
  json({ certificate: services.certificate.view() }),
);
const begun = (operation: Operation): Response =>
  json({ success: true, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });
/** `{"chain","key"}`, both PEM: for the hook of whatever renews it. */
export const putCertificate = answer('admin', async ({ services, actor, event }) =>
  begun(await services.certificate.replace(certificateRequest.parse(await readJson(event.request)), actor)),
);
/** Back to one of Cairn's own. */
export const deleteCertificate = answer('admin', async ({ services, actor }) =>
  begun(await services.certificate.makeOwn(actor)),
);
