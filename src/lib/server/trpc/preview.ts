import { z } from 'zod';
import { errorEntry } from '$lib/shared/error-codes';
import type { PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import { AppError, issue } from '../errors';

/** Of a plan that destroys something, as its preview told it. */
export const confirmCode = z.string().max(200).nullish();

/** What is wrong with a request is the answer of a preview, not its failure; anything else is. */
export async function previewOf(plan: () => Promise<PlanPreview>): Promise<PreviewResult> {
  try {
    return { ok: true, preview: await plan() };
  } catch (error) {
    if (!(error instanceof AppError) || ['bug', 'host'].includes(errorEntry(error.code).kind)) throw error;
    const issues =
      error.issues.length > 0 ? error.issues : [issue(error.code, error.message, undefined, error.remedy)];
    return { ok: false, issues };
  }
}
