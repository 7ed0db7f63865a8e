/**
 * Options of a plugin, declared once: the declaration gives the TypeScript type, the validation and the form.
 */
import { z } from 'zod';
import type { FormField } from '../shared/wire/plugins';

type Without<F extends FormField['type']> = Omit<Extract<FormField, { type: F }>, 'type' | 'name'>;
export type Field =
  | ({ type: 'select' } & Without<'select'>)
  | ({ type: 'boolean' } & Without<'boolean'>)
  | ({ type: 'text' } & Without<'text'>)
  | ({ type: 'integer' } & Without<'integer'>)
  | ({ type: 'secret' } & Without<'secret'>);
export type Fields = Record<string, Field>;

type ValueOf<F extends Field> = F extends { type: 'select'; choices: readonly { value: infer V }[] }
  ? V
  : F extends { type: 'boolean' }
    ? boolean
    : F extends { type: 'integer' }
      ? number
      : string;
export type OptionsOf<F extends Fields> = { [K in keyof F]: ValueOf<F[K]> };

/** One of some choices. `layouts` limits the field to these layouts; elsewhere it keeps its default. */
export const select = <const V extends string>(field: {
  label: string;
  help: string;
  default: V;
  choices: { value: V; label: string; help?: string }[];
  layouts?: string[];
}) => ({ type: 'select' as const, ...field });

export const boolean = (field: { label: string; help: string; default: boolean; layouts?: string[] }) => ({
  type: 'boolean' as const,
  ...field,
});

export const text = (field: {
  label: string;
  help: string;
  default: string;
  maxLength: number;
  layouts?: string[];
}) => ({
  type: 'text' as const,
  ...field,
});

export const integer = (field: {
  label: string;
  help: string;
  default: number;
  min: number;
  max: number;
  layouts?: string[];
}) => ({
  type: 'integer' as const,
  ...field,
});

/**
 * A password or a key. It is never among the options: the core keeps it in a file that only root may read
 * (`facts.secretsPath`, a line `name=value` each), and plans, records, logs and pages know the file at most.
 */
export const secret = (field: { label: string; help: string; maxLength: number; layouts?: string[] }) => ({
  type: 'secret' as const,
  ...field,
});

function schemaOf(field: Field): z.ZodType {
  switch (field.type) {
    case 'select': {
      const values = field.choices.map((choice) => choice.value);
      return z.enum(values as [string, ...string[]]).default(field.default);
    }
    case 'boolean':
      return z.boolean().default(field.default);
    case 'integer':
      return z.number().int().min(field.min).max(field.max).default(field.default);
    case 'secret':
      // Taken out before anybody looks at the options: what is left of it is nothing, or no text.
      return z.literal('').default('');
    case 'text':
      // Control characters have no place in an option: they would end up in labels and on command lines.
      return z
        .string()
        .max(field.maxLength)
        .regex(/^[^\p{Cc}]*$/u, 'Control characters are not allowed.')
        .default(field.default);
  }
}

/** A strict schema with every default filled in: unknown options are refused by name. */
export const optionsSchema = (fields: Fields): z.ZodObject =>
  z.strictObject(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, schemaOf(field)])));

export const formOf = (fields: Fields): FormField[] =>
  Object.entries(fields).map(([name, field]) => ({ ...field, name }) as FormField);
