import { EventEmitter } from 'node:events';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Logger } from '../log';

/** Every event inside the server. An event says that something changed; whoever cares reads it again. */
export interface Events {
  /** The kernel or udev reported block devices; kernel names, empty for "anything may have changed". */
  'block-devices.changed': { names: string[] };
  /** The mount table changed. */
  'mounts.changed': Record<string, never>;
  /** A plugin's own source says that something in its pools may have changed. */
  'storage.changed': { plugin: string };
  /** A network link of the host, or an address of one, has changed. */
  'links.changed': Record<string, never>;
  /** A plugin's own source says that something in its machines has changed. */
  'machines.changed': { plugin: string; said?: string };
  /** The machines' documents may have changed: after a re-read, or with what they need. */
  'vms.changed': Record<string, never>;
  /** A record of a machine was written. */
  'vm.changed': { id: string };
  /** The drive read model changed (after a re-read). */
  'drives.changed': Record<string, never>;
  /** What is kept about a drive was written by somebody else than the read model. */
  'drive.record': { driveId: string };
  /** A drive was asked about its health. */
  'drive.health': { driveId: string };
  /** A row of an operation or of one of its steps was committed. */
  'operation.changed': { id: string };
  /** An operation has ended; its locks are free. */
  'operation.ended': { id: string };
  /** Output lines were committed; the newest id. */
  'operation.output': { operationId: string; lastId: number };
  /** A pool record was written. */
  'pool.changed': { guid: string };
  /** A record of an image was written, or its file may have changed. */
  'image.changed': { id: string };
  /** Something was written into the history of a pool. */
  'pool.history': { guid: string };
  /** The pools' documents may have changed: after a re-read, or with an operation. */
  'pools.changed': Record<string, never>;
  /** A schedule of snapshots ran, well or not. */
  'snapshots.scheduled': { poolGuid: string };
  /** An alert was raised, changed, acknowledged or resolved. */
  'alert.changed': { alert: Alert; change: 'raised' | 'changed' | 'acknowledged' | 'resolved' };
  /** A channel was made, changed or removed, or a message was told, held or refused. */
  'notifications.changed': Record<string, never>;
  /** Something was proposed, approved or rejected. */
  'proposals.changed': Record<string, never>;
  /** An entry of the audit log was written or ended. */
  'audit.changed': { newestId: number };
  /** The drives have been looked at for pools, and are at rest. */
  'found.looked': Record<string, never>;
  /** A session was ended: its sockets close. */
  'session.revoked': { sessionId: string };
  /** Somebody began or stopped looking (number of feed subscribers). */
  'watchers.changed': { count: number };
  /** Another certificate was taken in use, or the time told about this one is to be judged again. */
  'certificate.changed': Record<string, never>;
  /** Copies of the configuration were written to pools, or could not be. */
  'configuration.changed': Record<string, never>;
  /** The channel of updates was asked, or what it offers was skipped. */
  'updates.looked': Record<string, never>;
  /** A source of live change came up or went down. */
  'source.changed': { name: string; ok: boolean; reason: string | null };
}

export interface Bus {
  emit<K extends keyof Events>(name: K, event: Events[K]): void;
  /** @returns a function that ends the subscription */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void;
}

/** A listener that throws is logged and never stops the others or the emitter. */
export function createBus(log: Logger): Bus {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    emit(name, event) {
      emitter.emit(name, event);
    },
    on(name, listener) {
      const guarded = (event: Parameters<typeof listener>[0]): void => {
        try {
          listener(event);
        } catch (error) {
          log.error({ error, event: name }, 'a listener failed');
        }
      };
      emitter.on(name, guarded);
      return () => emitter.off(name, guarded);
    },
  };
}
