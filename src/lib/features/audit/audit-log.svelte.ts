/** The audit log under a filter, newest first, live while it is looked at. Browser only. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { AuditEntry, AuditFilter } from '$lib/shared/wire/audit';

const PAGE = 50;

export class AuditLog {
  items = $state.raw<AuditEntry[] | null>(null);
  nextBefore = $state<number | null>(null);
  busy = $state(false);
  error = $state.raw<PresentedError | null>(null);
  private filter: AuditFilter = {};
  /** An answer that comes after a later question is not shown. */
  private asked = 0;

  /** The first page; what was loaded beyond it goes. */
  async show(filter: AuditFilter): Promise<void> {
    this.filter = filter;
    await this.load(null);
  }
  older = (): Promise<void> => this.load(this.nextBefore);

  private async load(before: number | null): Promise<void> {
    const mine = ++this.asked;
    this.busy = true;
    try {
      const page = await trpc().audit.page.query({ ...this.filter, before, limit: PAGE });
      if (mine !== this.asked) return;
      this.error = null;
      this.items = before === null ? page.items : [...(this.items ?? []), ...page.items];
      this.nextBefore = page.nextBefore;
    } catch (thrown) {
      if (mine === this.asked) this.error = presentError(thrown);
    } finally {
      if (mine === this.asked) this.busy = false;
    }
  }

  /** @returns what ends it */
  follow(): () => void {
    const subscription = trpc().audit.onChange.subscribe(undefined, {
      // Who reads older entries is not thrown back to the newest.
      onData: () => {
        if ((this.items?.length ?? 0) <= PAGE) void this.load(null);
      },
      onError: (thrown) => (this.error = presentError(thrown)),
    });
    return () => subscription.unsubscribe();
  }
}
