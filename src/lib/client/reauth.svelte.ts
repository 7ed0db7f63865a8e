/**
 * The password once more, before something is destroyed. The server refuses with `reauth_required`; every call that meets
 * this waits here until the person has given it, and is then sent again. Browser only.
 */
import type { TRPCLink } from '@trpc/client';
import type { AppRouter } from '$lib/server/trpc/app-router';

type Link = ReturnType<TRPCLink<AppRouter>>;
let waiting = $state.raw<((given: boolean) => void)[]>([]);

export const reauth = {
  get isAsking(): boolean {
    return waiting.length > 0;
  },
  /** Ends the question, for every call that waits. */
  answer(given: boolean): void {
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve(given);
  },
};
const ask = (): Promise<boolean> =>
  new Promise((resolve) => {
    waiting = [...waiting, resolve];
  });

interface Refusal {
  data?: { appError?: { code?: string } } | null | undefined;
}
const wantsPassword = (error: Refusal): boolean => error.data?.appError?.code === 'reauth_required';

/** Sends a call again once the password was given; who does not give it gets the refusal. */
export const reauthLink: TRPCLink<AppRouter> = (): Link => (call) => {
  const first = call.next(call.op);
  const subscribe: typeof first.subscribe = (observer) => {
    let stop: (() => void) | null = null;
    let hasAsked = false;
    const send = (to: typeof first): void => {
      const sent = to.subscribe({
        ...observer,
        error(error) {
          if (hasAsked || !wantsPassword(error as Refusal)) return observer.error?.(error);
          hasAsked = true;
          void ask().then((given) => (given ? send(call.next(call.op)) : observer.error?.(error)));
        },
      });
      stop = () => sent.unsubscribe();
    };
    send(first);
    return { unsubscribe: () => stop?.() };
  };
  return { ...first, subscribe };
};
