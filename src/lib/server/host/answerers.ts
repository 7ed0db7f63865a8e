/**
 * A few programs that answer the same kind of question, one question at a time each: started when one is asked and all
 * others are busy, ended after a while without any.
 */
export interface Answerer<Q, A> {
  ask(question: Q): Promise<A>;
  /** Nobody asks any more: it may end. */
  end(): void;
}
export interface Pool<Q, A> {
  /** Takes one that is free, or starts one, or waits. @throws what the answerer throws */
  ask(question: Q): Promise<A>;
  /** Ends those that nobody asks now, and the others when they have answered. */
  close(): void;
}

/** @param start calls `onEnd` when it ended by itself, or gives no more answers */
export function createPool<Q, A>(
  start: (onEnd: () => void) => Answerer<Q, A>,
  { atOnce, idleMs }: { atOnce: number; idleMs: number },
): Pool<Q, A> {
  const idle: { answerer: Answerer<Q, A>; timer: NodeJS.Timeout }[] = [];
  const queue: (() => void)[] = [];
  const ended = new WeakSet<Answerer<Q, A>>();
  let busy = 0;
  let closed = false;

  function take(): Answerer<Q, A> {
    const free = idle.pop();
    if (free) {
      clearTimeout(free.timer);
      return free.answerer;
    }
    const answerer = start(() => {
      ended.add(answerer);
      const at = idle.findIndex((entry) => entry.answerer === answerer);
      if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer);
    });
    return answerer;
  }

  function putBack(answerer: Answerer<Q, A>): void {
    if (ended.has(answerer)) return;
    if (closed) return answerer.end();
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((entry) => entry.answerer === answerer),
        1,
      );
      answerer.end();
    }, idleMs);
    timer.unref();
    idle.push({ answerer, timer });
  }

  return {
    close() {
      closed = true;
      for (const { answerer, timer } of idle.splice(0)) {
        clearTimeout(timer);
        answerer.end();
      }
    },
    async ask(question) {
      if (busy >= atOnce) await new Promise<void>((resolve) => queue.push(resolve));
      else busy += 1;
      const answerer = take();
      try {
        return await answerer.ask(question);
      } finally {
        putBack(answerer);
        const next = queue.shift();
        if (next) next();
        else busy -= 1;
      }
    },
  };
}
