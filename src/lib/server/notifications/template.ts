/**
 * The body of a webhook: JSON whose texts hold placeholders. It is read as JSON first and filled then, so no quote, newline
 * or brace of an alert can change its shape.
 */
import { WEBHOOK_PLACEHOLDERS } from '$lib/shared/channel-kinds';
import type { Json } from '$lib/shared/json';
import { AppError } from '../errors';
import { plainText, type Worded } from './message';

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

export type Values = Record<(typeof WEBHOOK_PLACEHOLDERS)[number], string | null>;

export const valuesOf = (message: Worded): Values => ({
  id: message.id,
  event: message.event,
  severity: message.severity,
  title: message.title,
  text: message.text,
  remedy: message.remedy,
  subject: message.subject,
  host: message.host,
  since: new Date(message.since).toISOString(),
  at: new Date(message.at).toISOString(),
  link: message.link,
  full: plainText(message),
});

/** @throws AppError template_invalid */
export function parseTemplate(template: string): Json {
  let parsed: Json;
  try {
    parsed = JSON.parse(template) as Json;
  } catch (error) {
    throw new AppError(
      'template_invalid',
      `The template is not JSON: ${error instanceof Error ? error.message : ''}`.trim(),
      {
        cause: error,
      },
    );
  }
  const known: readonly string[] = WEBHOOK_PLACEHOLDERS;
  for (const [, name = ''] of JSON.stringify(parsed).matchAll(PLACEHOLDER))
    if (!known.includes(name))
      throw new AppError('template_invalid', `There is no placeholder "${name}".`, {
        remedy: `Use one of ${known.map((one) => `{{${one}}}`).join(', ')}.`,
      });
  return parsed;
}

function fillText(text: string, values: Values): string | null {
  const [whole] = text.matchAll(PLACEHOLDER);
  // Alone in its text, what is not known is null rather than an empty text.
  if (whole && whole[0] === text) return values[whole[1] as keyof Values];
  return text.replaceAll(PLACEHOLDER, (_all, name: keyof Values) => values[name] ?? '');
}

function fill(value: Json, values: Values): Json {
  if (typeof value === 'string') return fillText(value, values);
  if (Array.isArray(value)) return value.map((entry) => fill(entry, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, values)]));
  return value;
}

/** @throws AppError template_invalid */
export const fillTemplate = (template: string, message: Worded): string =>
  JSON.stringify(fill(parseTemplate(template), valuesOf(message)));
