/** What is asked of the machine once everything is up, while pages answer already. */
import type { Services } from './services';
import type { Undoing } from './undoing';

/** After the start pages come first. */
const TOOLS_MS = 300;

/** What sits on the drives takes a program or three each: `state.ready` once it is read. The tools follow. */
export function askFirstQuestions(
  { drives, plugins, pools, found, alerts, boots, log }: Services,
  { undoing, state }: { undoing: Undoing; state: { ready: boolean; stopping: boolean } },
): void {
  void drives
    .settled()
    .catch((error: unknown) => log.error({ error }, 'drives could not be read'))
    .finally(() => {
      state.ready = true;
      if (state.stopping) return;
      const timer = setTimeout(askTools, TOOLS_MS);
      undoing.add('first questions to the tools', () => clearTimeout(timer));
    });
  // Each tool is started once to see that it works: nobody has to wait for that. Pools show what their plugin can do.
  function askTools(): void {
    plugins
      .refresh()
      .then(() => (state.stopping ? undefined : Promise.all([pools.refresh(), found.refresh()])))
      .catch((error: unknown) => log.error({ error }, 'plugins could not be checked'))
      // Only now everything has been asked once: what is not known yet is no reason to resolve an alert.
      .finally(() => {
        if (state.stopping) return;
        boots.settled();
        alerts.start();
      });
  }
}
