/**
 * Values for a JSON schema: such as it takes, such as it almost takes, and such as nobody expects. What is wrong in one place only gets
 * past the first check of a request, where noise never comes.
 */
import fc from 'fast-check';

export interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
}

/** Text, numbers and shapes on which programs have broken. JSON can say each of them. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...['', ' ', '\u0000', 'a\u0000b', '../../etc/passwd', '/etc/passwd', '..%2f..', '%', '\ud800', '💩'],
    ...['__proto__', 'constructor', 'toString', '-rf', '--help', '$(id)', "'; DROP TABLE users; --", '\n\r'],
    ...['a'.repeat(3_000), 'é'.repeat(500), '0', 'NaN', '1e400', 'true', '<a b="c">&amp;</a>'],
    ...[-1, 0, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31, null, true, false, [], {}, [[]], [null], { '': '' }],
    ...[{ constructor: { prototype: {} } }, { length: 1e9 }, Array.from({ length: 2_000 }, () => 0)],
  ),
  // An own property of that name, which an object literal cannot have.
  fc.constant(JSON.parse('{"__proto__": {"role": "admin", "isAdmin": true}}') as unknown),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
);

function text({ pattern, format, minLength = 0, maxLength = 60 }: JsonSchema): fc.Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri')
    return fc.constantFrom('http://127.0.0.1:9/x.iso', 'ftp://[::1]/', 'https://a.invalid/');
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  const lengths = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, minLength + 60)) };
  if (pattern === undefined) return fc.string(lengths);
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'));
  } catch {
    // It looks around: what it takes is rarely met, what it refuses always is.
    return fc.string(lengths);
  }
}

function object(schema: JsonSchema, bad: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const known = Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [name, valuesOf(inner, bad)]),
  );
  const more =
    typeof additionalProperties === 'object'
      ? fc.dictionary(
          schema.propertyNames
            ? (text(schema.propertyNames) as fc.Arbitrary<string>)
            : fc.string({ maxLength: 12 }),
          valuesOf(additionalProperties, bad),
          { maxKeys: 3 },
        )
      : fc.constant({});
  const requiredKeys = required.filter((name) => name in known);
  return fc
    .tuple(fc.record(known, { requiredKeys }), more)
    .map(([one, other]): unknown => ({ ...other, ...one }));
}

/**
 * @param bad how likely it is that a value, at any depth, is something else: 0 to 1
 */
export function valuesOf(schema: JsonSchema, bad = 0): fc.Arbitrary<unknown> {
  const good = lawful(schema, bad);
  if (bad === 0) return good;
  const weight = Math.round(bad * 100);
  return fc.oneof({ weight, arbitrary: hostile }, { weight: 100 - weight, arbitrary: good });
}

function lawful(schema: JsonSchema, bad: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined)
    // What names itself has no end; the only such schema here is that of any JSON.
    return fc.jsonValue({ maxDepth: 3 });
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((one) => valuesOf(one, bad)));
  if (schema.allOf)
    return fc
      .tuple(...schema.allOf.map((one) => valuesOf(one, bad)))
      .map((all): unknown => Object.assign({}, ...(all as object[])) as unknown);
  const [type] = [schema.type ?? 'any'].flat();
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number': {
      const min = Math.ceil(Math.max(schema.minimum ?? 0, Number.MIN_SAFE_INTEGER));
      return fc.maxSafeInteger().map((n) => {
        const max = Math.floor(Math.min(schema.maximum ?? 2 ** 40, Number.MAX_SAFE_INTEGER));
        return min + (Math.abs(n) % Math.max(1, max - min + 1));
      });
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, bad), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, Math.max(3, schema.minItems ?? 0)),
      });
    case 'object':
      return object(schema, bad);
    default:
      return hostile;
  }
}
