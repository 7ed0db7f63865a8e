import { AppError } from '../errors';

/**
 * Gives up waiting after limitMs; the signal that the work gets is aborted then, so that its programs end too.
 * @throws AppError command_timeout, or what the work throws
 */
export async function withTimeout<T>(
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const abort = new AbortController();
  const signal = outer ? AbortSignal.any([abort.signal, outer]) : abort.signal;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new AppError('command_timeout', `${what} took longer than ${limitMs / 1_000} s`);
      abort.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    return await Promise.race([work(signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}
