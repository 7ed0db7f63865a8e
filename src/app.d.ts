import type { Actor } from '$lib/shared/wire/session';

declare global {
  namespace App {
    interface Locals {
      /** Who is asking; null for an anonymous visitor. Set by hooks.server.ts. */
      actor: Actor | null;
      /** Address of the connection, for the throttle and the logs only; never trusted for access. */
      address: string;
    }
    interface Error {
      message: string;
      code: string;
      /** Reference that finds the stack in the log. */
      ref?: string;
    }
  }
}

export {};
