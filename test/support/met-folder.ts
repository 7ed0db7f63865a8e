/** One folder for all files of a run of the crash tier: what one of them has met another need not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    metFolder: string;
  }
}

export default function makeMetFolder({ provide }: Pick<TestProject, 'provide'>): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-met-'));
  provide('metFolder', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
