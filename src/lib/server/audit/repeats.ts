/** What is denied again and again: written once at once, and then once a minute with how often it came. */
import type { NewAuditRow } from './store';

const WINDOW_MS = 60_000;
/** Different denials that are written in a minute; all beyond are one entry. */
const MOST = 120;

export function createRepeats(write: (row: NewAuditRow) => void, windowMs = WINDOW_MS) {
  let seen = new Map<string, { row: NewAuditRow; more: number }>();
  let beyond: { row: NewAuditRow; more: number } | null = null;
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    for (const { row, more } of seen.values()) if (more > 0) write({ ...row, times: more });
    if (beyond) write({ ...beyond.row, what: '(various)', input: null, actorName: '', times: beyond.more });
    seen = new Map();
    beyond = null;
  }

  return {
    add(row: NewAuditRow): void {
      timer ??= setTimeout(flush, windowMs).unref();
      const key = JSON.stringify([row.kind, row.actorId, row.actorName, row.address, row.what, row.code]);
      const known = seen.get(key);
      if (known) {
        known.more += 1;
        known.row = { ...row, at: known.row.at };
      } else if (seen.size < MOST) {
        seen.set(key, { row, more: 0 });
        write(row);
      } else beyond = { row, more: (beyond?.more ?? 0) + 1 };
    },
    stop: flush,
  };
}
