import { finishUpload, takePiece, uploadState } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = uploadState;
export const PUT = takePiece;
export const POST = finishUpload;
export const fallback = notAllowed('GET, PUT, POST');
