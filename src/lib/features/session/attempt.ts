import { presentError, type PresentedError } from '$lib/client/present-error';
import { showToast } from '$lib/ui/toast';

/** Shows what went wrong where no form is there to show it. */
export function reportError(thrown: unknown): PresentedError {
  const error = presentError(thrown);
  void showToast({
    tone: 'bad',
    title: error.title,
    text: [error.message, error.remedy].filter(Boolean).join(' '),
  });
  return error;
}

/** Does it; a failure becomes a toast. @returns the result, or null after a failure */
export async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (thrown) {
    reportError(thrown);
    return null;
  }
}
