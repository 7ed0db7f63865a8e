/** Why another machine could not be talked to, in words: what happened and what to do. Pure. */
export interface OutsideProblem {
  message: string;
  remedy: string;
}

const textIn = (error: Error, key: string): string => {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : '';
};
/** What the system said; nodemailer keeps it beside its own code. */
const codeOf = (error: unknown): string =>
  error instanceof Error ? textIn(error, 'originalCode') || textIn(error, 'code') : '';

/** Codes of OpenSSL as Node names them (nodejs.org/api/tls.html#x509-certificate-error-codes). */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @returns null for what is no failure of the network or of TLS */
export function outsideProblem(error: unknown, host: string, port: string | number): OutsideProblem | null {
  const code = codeOf(error);
  const at = `${host}, port ${port}`;
  const timedOut = error instanceof Error && (error.name === 'TimeoutError' || code === 'ETIMEDOUT');
  if (timedOut)
    return {
      message: `No answer came from ${at} in time.`,
      remedy: 'Look whether it runs, and whether a firewall is in between.',
    };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EDNS')
    return {
      message: `The name ${host} is not known${code === 'EAI_AGAIN' ? ': the name server does not answer' : ''}.`,
      remedy: 'Check the spelling, or give the address in numbers.',
    };
  if (code === 'ECONNREFUSED')
    return { message: `Nothing listens at ${at}.`, remedy: 'Check the port, and start the service there.' };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return {
      message: `${host} cannot be reached from here.`,
      remedy: 'Look whether it is on, and whether this host has a network.',
    };
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNECTION')
    return {
      message: `${at} closed the connection.`,
      remedy: 'Check the port, and whether it wants encryption.',
    };
  if (UNTRUSTED.has(code))
    return {
      message: `The certificate of ${host} is signed by nobody whom this host trusts.`,
      remedy:
        'Put the certificate of your own authority into /usr/local/share/ca-certificates, run update-ca-certificates, then restart Cairn.',
    };
  if (code === 'CERT_HAS_EXPIRED')
    return {
      message: `The certificate of ${host} has expired.`,
      remedy: 'Renew it there; look whether the clock here is right.',
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      message: `The certificate of that server is not for ${host}.`,
      remedy: 'Use the name that its certificate has.',
    };
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return { message: `${at} speaks no TLS.`, remedy: 'Check the port and the kind of encryption.' };
  return null;
}
