/** Servers that take what is told: a web server for all the services that speak HTTP, and a mail server. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Taken {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}
export interface HttpSink {
  url: string;
  port: number;
  taken: Taken[];
  /** What it answers from now on. */
  answer: { status: number; text: string; headers?: Record<string, string> };
  /** It takes what comes and says nothing. */
  isSilent: boolean;
  close(): Promise<void>;
}

export async function httpSink(port = 0): Promise<HttpSink> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
      if (sink.answer.status < 300) taken.push({ method, path, headers, body });
      if (sink.isSilent) return;
      response.writeHead(sink.answer.status, sink.answer.headers).end(sink.answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const sink: HttpSink = {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    taken,
    answer: { status: 200, text: '{}' },
    isSilent: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return sink;
}

export interface MailSink {
  port: number;
  mails: { from: string; to: string[]; raw: string; encrypted: boolean; user: string }[];
  close(): Promise<void>;
}

/** A certificate for localhost that nobody has signed but itself. */
export function certificateIn(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    '/usr/bin/openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** Takes mail of `cairn` with the password `postbox`, or of anybody when `open`. */
export async function mailSink(options: SMTPServerOptions & { open?: boolean }): Promise<MailSink> {
  const mails: MailSink['mails'] = [];
  const { open = false, ...rest } = options;
  const server = new SMTPServer({
    ...{ authOptional: open, hideSTARTTLS: false, logger: false },
    ...rest,
    onAuth({ username, password }, _session, done) {
      if (username === 'cairn' && password === 'postbox') done(null, { user: username });
      else done(new Error('Authentication credentials invalid'));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
          encrypted: session.secure,
          user: session.user ?? '',
        });
        done();
      });
    },
  });
  // A client that refuses the certificate ends the connection; that is what is tested, not a failure of the server.
  server.on('error', () => 'the client went away');
  const listening = await new Promise<import('node:net').Server>((resolve) => {
    const made = server.listen(0, '127.0.0.1', () => resolve(made));
  });
  const address = listening.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, mails, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
