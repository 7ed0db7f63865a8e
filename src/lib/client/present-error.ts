/** Every error on its way to the screen: one code, one title, one table. Nothing else in the UI reads error texts. */
import { errorEntry, isErrorCode, type ErrorCode, type Issue } from '$lib/shared/error-codes';

export interface PresentedError {
  code: ErrorCode | 'offline';
  title: string;
  message: string;
  remedy: string | null;
  /** First message of each field: `{ 'request.label': '...' }`. */
  fields: Record<string, string>;
  issues: Issue[];
}
interface WireShape {
  code: string;
  message: string;
  remedy?: string | null;
  issues?: Issue[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function wireOf(thrown: unknown): WireShape | null {
  const data = isRecord(thrown) && isRecord(thrown['data']) ? thrown['data'] : null;
  const error = data && isRecord(data['appError']) ? data['appError'] : null;
  return error && typeof error['code'] === 'string' && typeof error['message'] === 'string'
    ? (error as unknown as WireShape)
    : null;
}

function fieldsOf(issues: Issue[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const issue of issues) if (issue.field) fields[issue.field] ??= issue.message;
  return fields;
}

const OFFLINE: PresentedError = {
  code: 'offline',
  title: 'Cairn did not answer',
  message: 'The connection was lost before an answer came, so it is not known whether this was done.',
  remedy: 'Wait until the page is live again and look at the result before you repeat it.',
  fields: {},
  issues: [],
};

/** Texts stand beside a remedy, so each ends as a sentence does. */
const sentence = (text: string): string => (/[.!?:…]\s*$/.test(text) || text === '' ? text : `${text}.`);

/** @param thrown what a call to the server rejected with, or an error document of the feed */
export function presentError(thrown: unknown): PresentedError {
  const wire = wireOf(thrown);
  if (!wire) return OFFLINE;
  const code: ErrorCode = isErrorCode(wire.code) ? wire.code : 'bug';
  const entry = errorEntry(code);
  const issues = wire.issues ?? [];
  return {
    code,
    title: entry.title,
    message: sentence(wire.message),
    remedy: wire.remedy ?? entry.remedy ?? null,
    fields: fieldsOf(issues),
    issues,
  };
}

/** The message for a field, asked for by the end of its path: `label` finds `request.label`. */
export function fieldError(error: PresentedError | null, name: string): string | null {
  if (!error) return null;
  const path = Object.keys(error.fields).find((field) => field === name || field.endsWith(`.${name}`));
  return path ? (error.fields[path] ?? null) : null;
}

/** What is wrong beyond the fields that the form shows itself. */
export const otherIssues = (error: PresentedError, shown: string[]): Issue[] =>
  error.issues.filter(
    (issue) => !shown.some((name) => issue.field === name || issue.field?.endsWith(`.${name}`)),
  );

/** Of a request that cannot be planned: each has its own words. */
export function presentIssues(issues: Issue[]): PresentedError {
  const code = issues.length === 1 ? (issues[0]?.code ?? 'invalid_input') : 'invalid_input';
  return { code, title: errorEntry(code).title, message: '', remedy: null, fields: {}, issues };
}
