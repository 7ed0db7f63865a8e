/** An entry of the catalog while it is typed: text in fields, sizes in the units that people use. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { ImageArch, ImageKind } from '$lib/shared/wire/images';
import type { CatalogEntryRequest } from '$lib/shared/wire/requests';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const orNull = (text: string): string | null => text.trim() || null;
/** undefined: it is no number. */
const bytesOf = (text: string, unit: number): number | null | undefined => {
  if (text.trim() === '') return null;
  const bytes = Math.round(Number(text.replace(',', '.')) * unit);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
};
const textOf = (bytes: number | null, unit: number): string => (bytes === null ? '' : String(bytes / unit));

export class EntryForm {
  name = $state('');
  kind = $state<Exclude<ImageKind, 'ova'>>('cloud');
  arch = $state<ImageArch | ''>('');
  url = $state('');
  checksum = $state('');
  defaultUser = $state('');
  diskGib = $state('');
  memoryMib = $state('');
  allowPrivate = $state(false);
  error = $state<PresentedError | null>(null);
  busy = $state(false);
  loading = $state(false);
  readonly #id: string | null;

  constructor(id: string | null) {
    this.#id = id;
  }
  get isNew(): boolean {
    return this.#id === null;
  }
  why = $derived.by((): string | null => {
    if (this.loading) return 'The entry is being read.';
    if (this.name.trim() === '') return 'Give it a name first.';
    if (this.url.trim() === '') return 'Give the address of the file first.';
    if (bytesOf(this.diskGib, GIB) === undefined) return 'The least disk is no number.';
    if (bytesOf(this.memoryMib, MIB) === undefined) return 'The least memory is no number.';
    return null;
  });

  async load(): Promise<void> {
    if (this.#id === null) return;
    this.loading = true;
    try {
      const entry = await trpc().images.entry.query({ id: this.#id });
      this.name = entry.name;
      this.kind = entry.kind;
      this.arch = entry.arch ?? '';
      this.url = entry.url;
      this.checksum = entry.checksum ?? '';
      this.defaultUser = entry.defaultUser ?? '';
      this.diskGib = textOf(entry.minDiskBytes, GIB);
      this.memoryMib = textOf(entry.minMemoryBytes, MIB);
      this.allowPrivate = entry.allowPrivate;
    } catch (thrown) {
      this.error = presentError(thrown);
    } finally {
      this.loading = false;
    }
  }

  /** @returns whether it was saved */
  async save(): Promise<boolean> {
    const entry: CatalogEntryRequest = {
      ...{ name: this.name, kind: this.kind, arch: this.arch || null, url: this.url.trim() },
      ...{ checksum: orNull(this.checksum), allowPrivate: this.allowPrivate },
      defaultUser: this.kind === 'cloud' ? orNull(this.defaultUser) : null,
      minDiskBytes: bytesOf(this.diskGib, GIB) ?? null,
      minMemoryBytes: bytesOf(this.memoryMib, MIB) ?? null,
    };
    this.busy = true;
    this.error = null;
    try {
      if (this.#id === null) await trpc().images.addEntry.mutate(entry);
      else await trpc().images.changeEntry.mutate({ id: this.#id, entry });
      return true;
    } catch (thrown) {
      this.error = presentError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
