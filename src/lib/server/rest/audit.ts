/** `/api/v1/audit`: who did what. Administrators only. */
import { auditExportQuery, auditQuery, type AuditEntry } from '$lib/shared/wire/audit';
import { answer, json } from './answer';

export const listAudit = answer(
  'admin',
  ({ services, event }) =>
    json(services.audit.page(auditQuery.parse(Object.fromEntries(event.url.searchParams)))),
  { query: auditQuery },
);

const COLUMNS = [
  'id',
  'at',
  'endedAt',
  'kind',
  'actorKind',
  'actorName',
  'actorId',
  'address',
  'userAgent',
  'what',
  'outcome',
  'code',
  'operationId',
  'times',
  'input',
] as const satisfies (keyof AuditEntry)[];

/** A cell that begins like a formula is one for a spreadsheet (OWASP, CSV injection): an apostrophe makes it text. */
function cell(value: string): string {
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
function textOf(entry: AuditEntry, column: (typeof COLUMNS)[number]): string {
  const value = entry[column];
  if (value === null) return '';
  if (column === 'at' || column === 'endedAt') return new Date(Number(value)).toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
export const csvLine = (entry: AuditEntry): string =>
  `${COLUMNS.map((column) => cell(textOf(entry, column))).join(',')}\r\n`;

/** Everything that fits, newest first, a line each: CSV (RFC 4180) or JSON lines. */
export const exportAudit = answer(
  'admin',
  ({ services, event }) => {
    const { format, ...filter } = auditExportQuery.parse(Object.fromEntries(event.url.searchParams));
    const entries = services.audit.all(filter);
    const encoder = new TextEncoder();
    const line = (entry: AuditEntry): string =>
      format === 'csv' ? csvLine(entry) : `${JSON.stringify(entry)}\n`;
    let head = format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '';
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        let piece = head;
        head = '';
        for (let more = 200; more > 0; more--) {
          const { value, done } = entries.next();
          if (done) break;
          piece += line(value);
        }
        if (piece === '') return controller.close();
        controller.enqueue(encoder.encode(piece));
      },
    });
    return new Response(body, {
      headers: {
        'cache-control': 'no-store',
        'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
        'content-disposition': `attachment; filename="cairn-audit.${format}"`,
      },
    });
  },
  { query: auditExportQuery },
);
