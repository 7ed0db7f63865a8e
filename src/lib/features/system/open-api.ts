/** The OpenAPI document of this server, as far as its page shows it. */
export interface OpenApiOperation {
  tags: string[];
  description: string;
  parameters: { name: string; in: 'path' | 'query'; required: boolean }[];
  requestBody?: { content: Record<string, { schema: unknown }> };
}
export interface OpenApi {
  /** By path, then by method in lower case. */
  paths: Record<string, Record<string, OpenApiOperation>>;
}

/** @throws Error when the server does not answer with it */
export async function readOpenApi(): Promise<OpenApi> {
  const response = await fetch('/api/v1/openapi.json');
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()) as OpenApi;
}
