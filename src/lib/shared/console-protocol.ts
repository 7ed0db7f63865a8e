/** How the socket to a console is opened and closed. */
export const CONSOLE_PATH = '/console-ws';
/** Offered with `ticket-<ticket>` beside it: a ticket in the address would be in every log on the way. */
export const CONSOLE_PROTOCOL = 'cairn-console';
export const ticketProtocol = (ticket: string): string => `ticket-${ticket}`;

/** Why the server closes such a socket; 4000 and up are an application's own (RFC 6455, 7.4.2). */
export const CONSOLE_ENDED = 4404;
