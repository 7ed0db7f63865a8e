import { deleteCertificate, getCertificate, putCertificate } from '$lib/server/rest/certificate';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getCertificate;
export const PUT = putCertificate;
export const DELETE = deleteCertificate;
export const fallback = notAllowed('GET', 'PUT', 'DELETE');
