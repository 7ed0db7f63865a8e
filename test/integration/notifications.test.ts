/** Channels with a real database, real files and real servers to tell; only the clock is moved. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotifications, type Notifications } from '$lib/server/notifications/notifications';
import type { News } from '$lib/server/notifications/message';
import { appRouter } from '$lib/server/trpc/app-router';
import { channelRequest, type ChannelRequestInput, type DeliveryState } from '$lib/shared/wire/notifications';
import type { Alert, AlertSeverity } from '$lib/shared/wire/alerts';
import { actorOf, contextOf, createServiceBench, type ServiceBench } from '../support/services';
import { certificateIn, httpSink, mailSink, type HttpSink, type MailSink } from '../support/sinks';

const HOUR = 3_600_000;
const TOKEN = 'tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2';
const BOT = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';

let bench: ServiceBench;
let sink: HttpSink;
let folder: string;
let notifications: Notifications;
let authorities: string[];

const begin = (): Notifications => {
  const { bus, clock, log, config } = bench.services;
  notifications = createNotifications({
    ...{ db: bench.db, bus, clock, log, config: { ...config, hostname: 'nas' } },
    net: { timeoutMs: 2_000, authorities, discord: sink.url, telegram: sink.url },
  });
  notifications.start();
  return notifications;
};
beforeEach(async () => {
  bench = createServiceBench();
  folder = mkdtempSync(join(tmpdir(), 'cairn-sinks-'));
  sink = await httpSink();
  authorities = [];
  begin();
});
afterEach(async () => {
  await notifications.stop();
  await sink.close();
  bench.close();
  rmSync(folder, { recursive: true, force: true });
});

const make = (channel: ChannelRequestInput) => notifications.create(channelRequest.parse(channel));
const ntfy = (extra: Partial<ChannelRequestInput> = {}): ChannelRequestInput =>
  ({
    ...{ kind: 'ntfy', name: 'Phone', settings: { server: sink.url } },
    secrets: { topic: 'attic-7f3a', token: TOKEN },
    ...extra,
  }) as ChannelRequestInput;

function alertOf(extra: Partial<Alert> = {}): Alert {
  const now = bench.services.clock.now();
  return {
    ...{ id: 'pool:1:degraded', kind: 'pool.degraded', severity: 'warning' },
    subject: { type: 'pool', id: '1', label: 'tank' },
    ...{ title: 'Pool "tank" is degraded', text: 'Drive WD-1 is not there.', remedy: 'Plug it in again.' },
    ...{ raisedAt: now, changedAt: now, resolvedAt: null, acknowledgedAt: null, acknowledgedBy: null },
    ...extra,
  };
}
const add = (...news: News[]): void => bench.db.transaction((tx) => notifications.add(tx, news));
const tell = async (...news: News[]): Promise<void> => {
  add(...news);
  await notifications.deliver();
};
const states = (): DeliveryState[] => notifications.view().deliveries.map(({ state }) => state);
const raised = (severity: AlertSeverity = 'warning', id = 'pool:1:degraded'): News => ({
  alert: alertOf({ severity, id }),
  event: 'raised',
});

/** Moves the clock to the next moment at which it shows this. */
function until(time: string): void {
  const now = bench.services.clock.now();
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const at = new Date(now);
  at.setHours(hour, minute, 0, 0);
  if (at.getTime() <= now) at.setDate(at.getDate() + 1);
  bench.advance(at.getTime() - now);
}

describe('each kind of service is told in its own way', () => {
  it('ntfy: JSON with the topic in the body, the token in a header, an id that stays', async () => {
    notifications.setBaseUrl('https://nas.home.arpa:8420');
    await make(ntfy());
    await tell(raised('critical'));
    expect(sink.taken).toHaveLength(1);
    const [{ method, path, headers, body } = sink.taken[0]!] = sink.taken;
    expect([method, path, headers.authorization]).toEqual(['POST', '/', `Bearer ${TOKEN}`]);
    expect(body).toMatchObject({
      topic: 'attic-7f3a',
      title: 'nas: Critical: Pool "tank" is degraded',
      ...{ priority: 5, tags: ['rotating_light'], click: 'https://nas.home.arpa:8420/pools/1' },
      sequence_id: notifications.view().deliveries[0]?.id,
    });
    expect(body['message']).toMatch(
      /^Drive WD-1 is not there\.\n\nSince .*\n\nWhat to do: Plug it in again\.$/,
    );
  });

  it('Gotify: the token in a header, the way to the page for the app', async () => {
    notifications.setBaseUrl('http://nas:8420');
    await make({
      ...{ kind: 'gotify', name: 'Gotify', settings: { server: `${sink.url}/gotify/` } },
      secrets: { token: 'AbCdEf123' },
    });
    await tell(raised());
    expect(sink.taken[0]).toMatchObject({
      ...{ method: 'POST', path: '/gotify/message', headers: { 'x-gotify-key': 'AbCdEf123' } },
      body: {
        ...{ title: 'nas: Pool "tank" is degraded', priority: 6 },
        extras: { 'client::notification': { click: { url: 'http://nas:8420/pools/1' } } },
      },
    });
  });

  it('Discord: an embed that mentions nobody; only addresses of Discord are taken', async () => {
    await make({
      ...{ kind: 'discord', name: 'Discord' },
      secrets: { url: `${sink.url}/api/webhooks/1/abc` },
    });
    await tell(raised());
    expect(sink.taken[0]).toMatchObject({
      ...{ method: 'POST', path: '/api/webhooks/1/abc' },
      body: { allowed_mentions: { parse: [] }, embeds: [{ title: 'nas: Pool "tank" is degraded' }] },
    });
    expect(sink.taken[0]?.body).not.toHaveProperty('embeds.0.url');
    const other = await httpSink();
    const channel = channelRequest.parse({
      ...{ kind: 'discord', name: 'Other' },
      secrets: { url: `${other.url}/api/webhooks/1/abc` },
    });
    expect(await notifications.tryOut(channel, null)).toMatchObject({
      ok: false,
      message: /none of Discord/,
    });
    expect(other.taken).toEqual([]);
    await other.close();
  });

  it('Telegram: plain text to a chat', async () => {
    await make({
      ...{ kind: 'telegram', name: 'Telegram', settings: { chatId: '-100123' }, secrets: { token: BOT } },
    });
    await tell(raised());
    expect(sink.taken[0]).toMatchObject({ method: 'POST', path: `/bot${BOT}/sendMessage` });
    expect(sink.taken[0]?.body).toMatchObject({ chat_id: '-100123' });
    expect(sink.taken[0]?.body).not.toHaveProperty('parse_mode');
  });

  it('a webhook: what the template says, valid also with quotes and newlines in an alert', async () => {
    const template = '{"text":"{{host}} says {{title}}","link":"{{link}}","list":["{{text}}"],"n":1}';
    await make({
      ...{ kind: 'webhook', name: 'Hook', settings: { method: 'PUT', template } },
      secrets: { url: `${sink.url}/hook?key=hush`, authorization: 'Bearer open-sesame' },
    });
    const title = 'Pool "a\\b" {{link}} \u2028 is degraded';
    await tell({ alert: alertOf({ title, text: 'one\ntwo "three"' }), event: 'raised' });
    const [{ method, path, headers, body } = sink.taken[0]!] = sink.taken;
    expect([method, path]).toEqual(['PUT', '/hook?key=hush']);
    expect(headers).toMatchObject({
      authorization: 'Bearer open-sesame',
      'content-type': 'application/json',
    });
    expect(headers['idempotency-key']).toBe(notifications.view().deliveries[0]?.id);
    expect(body).toMatchObject({ text: `nas says nas: ${title}`, link: null, n: 1 });
    expect(body['list']).toEqual([expect.stringContaining('one\ntwo "three"')]);
  });

  it.each(['{"text": {{title}}}', '{"text": "{{titel}}"}', 'hello {{title}}'])(
    'a template is refused that is no JSON or names what there is not: %s',
    async (template) => {
      await expect(
        make({
          ...{ kind: 'webhook', name: 'Hook', settings: { template } },
          secrets: { url: sink.url },
        }),
      ).rejects.toMatchObject({ code: 'template_invalid' });
    },
  );
});

describe('mail', () => {
  let mail: MailSink;
  afterEach(() => mail.close());
  const email = (
    security: 'tls' | 'starttls' | 'none',
    user: string | null = 'cairn',
    password: string | null = 'postbox',
  ): ChannelRequestInput => ({
    ...{ kind: 'email', name: 'Mail' },
    settings: {
      ...{ host: 'localhost', port: mail.port, security, user, from: 'nas@example.org' },
      to: ['you@example.org', 'two@example.org'],
    },
    secrets: { password },
  });
  const trust = async (): Promise<{ key: string; cert: string }> => {
    const made = certificateIn(folder);
    await notifications.stop();
    authorities = [made.cert];
    begin();
    return made;
  };

  it.each(['starttls', 'tls'] as const)(
    'goes out with %s, user and password, and a Message-ID that stays',
    async (security) => {
      mail = await mailSink({ ...(await trust()), secure: security === 'tls' });
      notifications.setBaseUrl('http://nas:8420');
      await make(email(security));
      await tell(raised());
      expect(states()).toEqual(['told']);
      expect(mail.mails).toMatchObject([
        {
          from: 'nas@example.org',
          to: ['you@example.org', 'two@example.org'],
          encrypted: true,
          user: 'cairn',
        },
      ]);
      const raw = mail.mails[0]?.raw ?? '';
      expect(raw).toContain(`Message-ID: <${notifications.view().deliveries[0]?.id}@cairn>`);
      expect(raw).toContain('Subject: =?UTF-8?Q?nas=3A_Pool_=22tank=22_is_degraded?=');
      expect(raw).toContain('What to do: Plug it in again.');
      expect(raw).toContain('http://nas:8420/pools/1');
      expect(raw).toContain('Auto-Submitted: auto-generated');
    },
  );

  it('is not sent to a server whose certificate nobody has signed, and says so', async () => {
    mail = await mailSink({ ...certificateIn(folder) });
    const { id } = await make(email('starttls'));
    expect(await notifications.test(id)).toMatchObject({
      ok: false,
      message: /signed by nobody whom this host trusts/,
    });
    expect(mail.mails).toEqual([]);
  });

  it('says when the password is wrong, and when the server cannot encrypt', async () => {
    mail = await mailSink({ ...(await trust()) });
    const { id } = await make(email('starttls', 'cairn', 'wrong one'));
    const wrong = await notifications.test(id);
    expect(wrong).toMatchObject({
      ok: false,
      message: /refused the user and the password.*credentials invalid/,
    });
    await mail.close();
    mail = await mailSink({ hideSTARTTLS: true, open: true });
    const bare = channelRequest.parse(email('starttls', null, null));
    expect(await notifications.tryOut(bare, null)).toMatchObject({
      ok: false,
      message: /offers no STARTTLS/,
    });
    expect(await notifications.tryOut(channelRequest.parse(email('tls', null, null)), null)).toMatchObject({
      ok: false,
      message: /speaks no TLS/,
    });
    expect(mail.mails).toEqual([]);
    expect(await notifications.tryOut(channelRequest.parse(email('none', null, null)), null)).toEqual({
      ok: true,
    });
    expect(mail.mails).toMatchObject([{ encrypted: false }]);
  });

  it('never carries a password without encryption', async () => {
    mail = await mailSink({ open: true });
    await expect(make(email('none'))).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('what is told', () => {
  it('is the beginning and the end, and what became worse; milder things than asked for are not', async () => {
    await make(ntfy({ minSeverity: 'warning' }));
    await tell(raised('info', 'a'));
    const warning = raised('warning', 'b');
    await tell(warning);
    await tell({ alert: { ...warning.alert, severity: 'critical' }, event: 'worse' });
    bench.advance(2 * HOUR);
    await tell(
      { alert: warning.alert, event: 'resolved' },
      { alert: alertOf({ id: 'a' }), event: 'resolved' },
    );
    expect(sink.taken.map(({ body }) => body['title'])).toEqual([
      'nas: Pool "tank" is degraded',
      'nas: Now critical: Pool "tank" is degraded',
      'nas: Over: Pool "tank" is degraded',
    ]);
    expect(sink.taken[2]?.body['message']).toMatch(/held for 2 h 0 min/);
  });

  it('is tried again with growing pauses while the server is down, in order, and told once', async () => {
    await make(ntfy());
    await sink.close();
    const first = raised();
    await tell(first);
    await tell({ alert: first.alert, event: 'resolved' });
    let { deliveries } = notifications.view();
    expect(deliveries.map(({ state, attempts }) => [state, attempts])).toEqual([
      ['waiting', 0],
      ['waiting', 1],
    ]);
    expect(deliveries[1]?.lastError).toMatch(/Nothing listens at 127\.0\.0\.1, port \d+\. Check the port/);
    await notifications.deliver();
    expect(notifications.view().deliveries[1]?.attempts).toBe(1);
    bench.advance(31_000);
    await notifications.deliver();
    expect(notifications.view().deliveries[1]?.attempts).toBe(2);
    sink = await httpSink(sink.port);
    await notifications.stop();
    begin();
    bench.advance(61_000);
    await notifications.deliver();
    await notifications.deliver();
    expect(sink.taken.map(({ body }) => body['title'])).toEqual([
      'nas: Pool "tank" is degraded',
      'nas: Over: Pool "tank" is degraded',
    ]);
    ({ deliveries } = notifications.view());
    expect(deliveries.map(({ state, lastError }) => [state, lastError])).toEqual([
      ['told', null],
      ['told', null],
    ]);
  });

  it('is left alone for as long as a service asks', async () => {
    await make(ntfy());
    sink.answer = { status: 429, text: 'slow down', headers: { 'retry-after': '600' } };
    await tell(raised());
    sink.answer = { status: 200, text: '{}' };
    bench.advance(500_000);
    await notifications.deliver();
    expect(sink.taken).toEqual([]);
    bench.advance(101_000);
    await notifications.deliver();
    expect(sink.taken).toHaveLength(1);
  });

  it('comes again under the same id when nobody knows whether an attempt arrived', async () => {
    await make(ntfy());
    await tell(raised());
    // As a kill -9 between the answer and the note of it leaves the row.
    bench.db.$client.exec("UPDATE outbox SET state = 'waiting', ended_at = NULL");
    await notifications.stop();
    begin();
    await notifications.deliver();
    expect(sink.taken).toHaveLength(2);
    expect(sink.taken[0]?.body['sequence_id']).toBe(sink.taken[1]?.body['sequence_id']);
  });

  it('raises an alert when it could not be told for a day, which ends with the first that arrives', async () => {
    const { id } = await make(ntfy());
    sink.answer = { status: 403, text: '{"error":"forbidden"}' };
    await tell(raised());
    expect(notifications.troubles()).toEqual([]);
    bench.advance(25 * HOUR);
    await notifications.deliver();
    expect(notifications.troubles()).toMatchObject([
      { channelId: id, error: /does not let this token write/ },
    ]);
    bench.advance(8 * 24 * HOUR);
    await notifications.deliver();
    expect(states()).toEqual(['failed']);
    expect(notifications.troubles()).toHaveLength(1);
    sink.answer = { status: 200, text: '{}' };
    await tell(raised('warning', 'next'));
    expect(notifications.troubles()).toEqual([]);
  });

  it('is forgotten after three months, but for what still holds', async () => {
    await make(ntfy());
    await tell(raised(), raised('warning', 'still'));
    bench.db.$client.exec(
      `INSERT INTO alerts (id, kind, severity, subject_type, subject_id, subject_label, title, text, raised_at, changed_at)
       VALUES ('still', 'x', 'warning', 'pool', '1', 'tank', 't', 't', 1, 1)`,
    );
    bench.advance(91 * 24 * HOUR);
    notifications.cleanUp();
    expect(states()).toEqual(['told']);
  });
});

describe('quiet hours and digests', () => {
  const quiet = { quietHours: { from: '22:00', until: '07:00' } };

  it('hold back until their end, and then tell it in one message; what is critical passes', async () => {
    await make(ntfy(quiet));
    until('23:30');
    const gone = raised('warning', 'a');
    await tell(gone, raised('warning', 'b'), raised('critical', 'c'));
    expect(sink.taken.map(({ body }) => body['priority'])).toEqual([5]);
    bench.advance(HOUR);
    await tell({ alert: gone.alert, event: 'resolved' });
    expect(sink.taken).toHaveLength(1);
    until('06:59');
    await notifications.deliver();
    expect(sink.taken).toHaveLength(1);
    until('07:00');
    await notifications.deliver();
    await notifications.deliver();
    expect(sink.taken).toHaveLength(2);
    expect(sink.taken[1]?.body['title']).toBe('nas: 1 alert holds, 1 is over');
    expect(sink.taken[1]?.body['message']).toMatch(/^Warning: Pool[\s\S]*Over: Pool[\s\S]*for 1 h 0 min/);
    expect(states()).toEqual(['told', 'digested', 'told', 'digested', 'digested']);
  });

  it('hold back what is critical too, if so chosen', async () => {
    await make(ntfy({ ...quiet, criticalAtOnce: false }));
    until('23:30');
    await tell(raised('critical'));
    expect(states()).toEqual(['held']);
    until('07:00');
    await notifications.deliver();
    expect(sink.taken).toHaveLength(1);
  });

  it('are kept to by what could not be told before they began', async () => {
    await make(ntfy(quiet));
    until('21:59');
    sink.answer = { status: 500, text: '' };
    await tell(raised());
    sink.answer = { status: 200, text: '{}' };
    until('22:30');
    await notifications.deliver();
    expect([states(), sink.taken.length]).toEqual([['held'], 0]);
    until('07:00');
    await notifications.deliver();
    expect(sink.taken).toHaveLength(1);
  });

  it('tell a day in one message, and what is held at once when the digest is switched off', async () => {
    const { id } = await make(ntfy({ digestAt: '08:00' }));
    until('09:00');
    await tell(raised('warning', 'a'));
    bench.advance(5 * HOUR);
    await tell(raised('warning', 'b'));
    expect(sink.taken).toEqual([]);
    until('08:00');
    await notifications.deliver();
    expect(sink.taken.map(({ body }) => body['title'])).toEqual(['nas: 2 alerts hold']);
    await tell(raised('warning', 'd'));
    await notifications.update(id, channelRequest.parse(ntfy({ secrets: {} })));
    await notifications.deliver();
    expect(sink.taken).toHaveLength(2);
  });
});

describe('what is secret', () => {
  it('is in files that only root may read, in no answer, not in the database, and gone with its channel', async () => {
    const { id } = await make(ntfy());
    const shown = JSON.stringify(notifications.view());
    expect(shown).toContain('"secretsSet":["token","topic"]');
    const dir = bench.services.config.channelSecretsDir;
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const [name = ''] = readdirSync(dir);
    expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    sink.answer = { status: 401, text: `{"error":"unknown token ${TOKEN}"}` };
    await tell(raised());
    expect(notifications.view().deliveries[0]?.lastError).toContain('unknown token •••');
    bench.db.$client.pragma('wal_checkpoint(TRUNCATE)');
    const database = readFileSync(bench.services.config.databasePath, 'latin1');
    for (const secret of [TOKEN, 'attic-7f3a']) {
      expect(shown).not.toContain(secret);
      expect(database).not.toContain(secret);
    }
    notifications.remove(id);
    expect(readdirSync(dir)).toEqual([]);
    expect(notifications.view()).toMatchObject({ channels: [], deliveries: [] });
  });

  it('stays when it is left out of a change, but never travels to another server', async () => {
    const { id } = await make(ntfy());
    await notifications.update(id, channelRequest.parse(ntfy({ name: 'My phone', secrets: {} })));
    expect(await notifications.test(id)).toEqual({ ok: true });
    const other = await httpSink();
    const moved = channelRequest.parse(ntfy({ settings: { server: other.url }, secrets: {} }));
    const refused = {
      code: 'invalid_input',
      issues: [{ field: 'secrets.topic' }, { field: 'secrets.token' }],
    };
    await expect(notifications.update(id, moved)).rejects.toMatchObject(refused);
    await expect(notifications.tryOut(moved, id)).rejects.toMatchObject(refused);
    expect(other.taken).toEqual([]);
    await other.close();
  });

  it('without a record is swept away at the start', async () => {
    await make(ntfy());
    bench.db.$client.exec('DELETE FROM channels');
    await notifications.stop();
    begin();
    expect(readdirSync(bench.services.config.channelSecretsDir)).toEqual([]);
  });
});

describe('addresses', () => {
  const hook = (url: string) =>
    channelRequest.parse({
      ...{ kind: 'webhook', name: 'Hook', settings: { template: '{"text":"{{title}}"}' } },
      secrets: { url },
    });
  it.each([
    'http://169.254.169.254/latest/meta-data/iam',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://0.0.0.0:80/',
    'http://2852039166/',
  ])('of the machine’s own cloud are refused: %s', async (url) => {
    expect(await notifications.tryOut(hook(url), null)).toMatchObject({
      ok: false,
      message: /no address for messages/,
    });
  });
  it.each(['ftp://nas/x', 'file:///etc/passwd', 'http://user:secret@nas/', 'nas/x'])(
    'that are none of the web are refused: %s',
    (url) => expect(() => hook(url)).toThrow(/http/),
  );
  it('that lead on to others are not followed, and say where they lead without what is secret', async () => {
    const other = await httpSink();
    sink.answer = { status: 307, text: '', headers: { location: `${other.url}/next?key=hush` } };
    const result = await notifications.tryOut(hook(`${sink.url}/hook`), null);
    expect(result).toMatchObject({ ok: false, message: `127.0.0.1 leads on to ${other.url}.` });
    expect(other.taken).toEqual([]);
    await other.close();
  });
  it('that answer without end are left after 64 KiB, and those that are silent after their time', async () => {
    sink.answer = { status: 500, text: 'x'.repeat(5_000_000) };
    expect(await notifications.tryOut(hook(sink.url), null)).toMatchObject({
      ok: false,
      message: /of its own \(500\)/,
    });
    const { createServer } = await import('node:net');
    const silent = createServer(() => 'says nothing');
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await notifications.tryOut(hook(`http://127.0.0.1:${port}/`), null)).toMatchObject({
      ok: false,
      message: /No answer came/,
    });
    silent.close();
  });
  it('with a name that nobody knows say so', async () => {
    expect(await notifications.tryOut(hook('http://nowhere.invalid/'), null)).toMatchObject({
      ok: false,
      message: /nowhere\.invalid is not known/,
    });
  });
});

describe('who may see and change channels', () => {
  it('an administrator, nobody else', async () => {
    const services = { ...bench.services, notifications };
    for (const role of ['viewer', 'operator'] as const) {
      const caller = appRouter.createCaller(contextOf(services, actorOf(role)));
      await expect(caller.notifications.view()).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(caller.notifications.create({ channel: ntfy() })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(caller.notifications.test({ id: 'x' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    const admin = appRouter.createCaller(contextOf(services, actorOf('admin')));
    const made = await admin.notifications.create({ channel: ntfy() });
    expect(await admin.notifications.test({ id: made.id })).toEqual({ ok: true });
    await expect(admin.notifications.create({ channel: ntfy() })).rejects.toThrow(
      /a channel "Phone" already/,
    );
    await expect(admin.notifications.remove({ id: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
