/** The name that an ISO 9660 file gives itself. Source: ECMA-119, section 8.4 (primary volume descriptor). */
import type { FileHandle } from 'node:fs/promises';

/** Sector 16. */
const DESCRIPTOR_OFFSET = 32_768;
const DESCRIPTOR_BYTES = 72;
const LABEL_OFFSET = 40;
const PRIMARY = 1;

/** @returns null: it has none, or is no ISO 9660 file */
export async function readIsoLabel(file: FileHandle): Promise<string | null> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(DESCRIPTOR_BYTES),
    ...([0, DESCRIPTOR_BYTES, DESCRIPTOR_OFFSET] as const),
  );
  if (bytesRead < DESCRIPTOR_BYTES || buffer[0] !== PRIMARY || buffer.toString('latin1', 1, 6) !== 'CD001')
    return null;
  const label = buffer.toString('latin1', LABEL_OFFSET).replaceAll(/[^\x20-\x7e]/g, '');
  return label.trim() || null;
}
