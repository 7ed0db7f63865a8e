/**
 * The OpenAPI 3.1 document of the REST interface, made from the addresses that there are and the schemas that check what is
 * sent to them: it cannot name an address that is not there, nor miss one that is.
 */
import { z, type ZodType } from 'zod';
import { areaOf } from '../auth/authorise';
import { VERSION } from '../version';
import { answer, json, type RestHandler } from './answer';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type RouteModule = Partial<Record<(typeof METHODS)[number], RestHandler>>;
type JsonSchema = Record<string, unknown>;

const routes = import.meta.glob<RouteModule>('/src/routes/api/v1/**/+server.ts');

/** `/src/routes/api/v1/pools/[guid]/+server.ts` → `/api/v1/pools/{guid}` */
export const pathOf = (file: string): string =>
  file
    .replace(/^.*\/src\/routes/, '')
    .replace(/\/\+server\.ts$/, '')
    .replaceAll('[', '{')
    .replaceAll(']', '}');

const schemaOf = (schema: ZodType): JsonSchema =>
  z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' }) as JsonSchema;

function parametersOf(path: string, query: ZodType | undefined): JsonSchema[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const { properties = {}, required = [] } = (query ? schemaOf(query) : {}) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }));
  return [...inPath, ...inQuery];
}

const ERROR = { $ref: '#/components/schemas/Error' };
const errorAnswers = {
  '4XX': {
    description: 'It was refused: the code says why, the remedy what to do.',
    content: { 'application/json': { schema: ERROR } },
  },
  '5XX': {
    description: 'It failed here.',
    content: { 'application/json': { schema: ERROR } },
  },
};

function operationOf(method: string, path: string, { about }: RestHandler): JsonSchema {
  const words = path.replace('/api/v1/', '').replaceAll(/[{}]/g, '').split(/[/.-]/);
  const area = areaOf(path);
  return {
    operationId: [
      method.toLowerCase(),
      ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)),
    ].join(''),
    tags: [words[0]],
    description: `Needs the role ${about.role}${area ? `; a key with scopes needs ${method === 'GET' ? '"read" or ' : ''}"${area === 'proposals' ? 'plan' : area}"` : ''}.`,
    'x-role': about.role,
    parameters: parametersOf(path, about.query),
    ...(about.body
      ? { requestBody: { content: { 'application/json': { schema: schemaOf(about.body) } } } }
      : {}),
    responses: {
      '2XX': { description: 'Done, or begun: then `operationId` tells what to follow.' },
      ...errorAnswers,
    },
  };
}

export async function openApiDocument(): Promise<JsonSchema> {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const file of Object.keys(routes).sort()) {
    const module = await routes[file]?.();
    const path = pathOf(file);
    const operations = METHODS.flatMap((method) => {
      const handler = module?.[method];
      return handler ? [[method.toLowerCase(), operationOf(method, path, handler)] as const] : [];
    });
    paths[path] = Object.fromEntries(operations);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cairn',
      version: VERSION,
      description:
        'Storage pools and virtual machines of one host. Whatever takes long is answered with 202 and goes on by itself.',
    },
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        session: { type: 'apiKey', in: 'cookie', name: 'cairn_session' },
      },
      schemas: {
        Error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['code', 'message', 'details', 'remedy'],
              properties: {
                ...{ code: { type: 'string' }, message: { type: 'string' }, details: { type: 'object' } },
                remedy: { type: ['string', 'null'] },
              },
            },
          },
        },
      },
    },
  };
}

let made: Promise<JsonSchema> | null = null;
export const getOpenApi = answer('viewer', async () => json(await (made ??= openApiDocument())));
