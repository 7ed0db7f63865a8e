/** What a token may do, as far as its role allows it: look, change one area, only propose, or only read metrics. */
export const AREAS = ['storage', 'images', 'machines', 'networks', 'alerts', 'operations', 'access'] as const;
export type Area = (typeof AREAS)[number];

export const SCOPES = ['read', ...AREAS, 'plan', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];
