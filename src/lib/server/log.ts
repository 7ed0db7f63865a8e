/** Structured logs, one JSON object a line on standard error, which journald keeps. No secret is ever passed to it. */
import { pino, stdSerializers, type Logger as PinoLogger } from 'pino';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

export const createLog = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      serializers: { error: stdSerializers.err },
      redact: ['password', 'code', 'token', 'apiKey', '*.password', '*.token', '*.apiKey'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
