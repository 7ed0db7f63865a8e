/** One message by SMTP (RFC 5321), with TLS from the first byte, with STARTTLS (RFC 3207), or neither. */
import { isIP } from 'node:net';
import { createTransport } from 'nodemailer';
import { AppError } from '../errors';
import { outsideProblem } from './outside-words';
import { resolveTold } from './told-address';

export interface Mail {
  server: { host: string; port: number; security: 'tls' | 'starttls' | 'none' };
  login: { user: string; password: string } | null;
  from: string;
  to: string[];
  subject: string;
  text: string;
  /** Without angle brackets; the same for the same message. */
  messageId: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  timeoutMs: number;
  authorities: string[];
}

interface SmtpError {
  code: string;
  response: string;
}
const smtpErrorOf = (error: unknown): SmtpError => ({
  code: error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '',
  response:
    error instanceof Error && 'response' in error && typeof error.response === 'string' ? error.response : '',
});

/** What the server said is shown, a line of it: it is the only one who knows why. */
const quoted = (response: string): string =>
  response ? `: "${response.replaceAll(/\s+/g, ' ').slice(0, 200)}"` : '';

function problemOf(
  error: unknown,
  { server: { host, port, security } }: Mail,
): { message: string; remedy?: string } {
  const { code, response } = smtpErrorOf(error);
  if (code === 'EAUTH')
    return {
      message: `${host} refused the user and the password${quoted(response)}.`,
      remedy: 'Check both. Many providers want a password made for this program instead of your own.',
    };
  if (code === 'EENVELOPE')
    return {
      message: `${host} refused the sender or a recipient${quoted(response)}.`,
      remedy: 'Check the addresses; many servers send only as the user who signed in.',
    };
  if (code === 'EMESSAGE') return { message: `${host} did not take the message${quoted(response)}.` };
  const problem = outsideProblem(error, host, port);
  if (problem) return problem;
  if (code === 'ETLS')
    return security === 'starttls'
      ? {
          message: `${host}, port ${port} offers no STARTTLS that can be used.`,
          remedy: 'Choose TLS from the start (port 465), or ask who runs it.',
        }
      : {
          message: `The encryption with ${host}, port ${port} failed.`,
          remedy: 'Check the port and the kind of encryption.',
        };
  if (code === 'EPROTOCOL')
    return {
      message: `What answers at ${host}, port ${port} is no mail server${quoted(response)}.`,
      remedy: 'Check the port.',
    };
  if (code === 'ESOCKET' && security === 'tls')
    return {
      message: `${host}, port ${port} speaks no TLS from the start.`,
      remedy: 'Choose STARTTLS (usually port 587).',
    };
  return {
    message: `${host} did not take the message${quoted(response)}.`,
    remedy: 'Check the port and the kind of encryption.',
  };
}

/** @throws AppError address_refused, or channel_unreachable with what to do */
export async function sendMail(mail: Mail): Promise<void> {
  const { server, signal, timeoutMs } = mail;
  const late = AbortSignal.timeout(timeoutMs);
  const ended = AbortSignal.any([signal, late]);
  let close: (() => void) | undefined;
  try {
    // The address is judged and then used: a name that changes in between leads nowhere else.
    const host = await resolveTold(server.host);
    const transport = createTransport({
      host,
      port: server.port,
      secure: server.security === 'tls',
      requireTLS: server.security === 'starttls',
      ignoreTLS: server.security === 'none',
      ...(mail.login ? { auth: { user: mail.login.user, pass: mail.login.password } } : {}),
      ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
      ...{ disableFileAccess: true, disableUrlAccess: true },
      tls: { ca: mail.authorities, ...(isIP(server.host) ? {} : { servername: server.host }) },
    });
    close = () => transport.close();
    const aborted = new Promise<never>((_resolve, reject) => {
      ended.addEventListener('abort', () => reject(ended.reason as Error), { once: true });
    });
    const { from, to, subject, text, headers } = mail;
    const sent = transport.sendMail({ from, to, subject, text, headers, messageId: `<${mail.messageId}>` });
    const { rejected } = await Promise.race([sent, aborted]);
    if (rejected.length > 0)
      throw new AppError(
        'channel_unreachable',
        `${server.host} refused ${rejected.length} of the recipients.`,
        {
          remedy: 'Check the addresses.',
        },
      );
  } catch (error) {
    if (error instanceof AppError || signal.aborted) throw error;
    const { message, remedy } = problemOf(late.aborted ? late.reason : error, mail);
    throw new AppError('channel_unreachable', message, { ...(remedy ? { remedy } : {}), cause: error });
  } finally {
    close?.();
  }
}
