/** Without a copy on a pool, the loss of the system disk is the loss of what only Cairn knows. Pure. */
import type { ConfigurationState } from '$lib/shared/wire/configuration';
import type { Condition } from './condition';

export function configurationConditions(state: ConfigurationState | null): Condition[] {
  if (!state?.overdue) return [];
  const since = state.writtenAt;
  return [
    {
      id: 'configuration:overdue',
      kind: 'configuration.overdue',
      severity: 'warning',
      subject: { type: 'host', id: 'configuration', label: 'Configuration' },
      title:
        since === null ? 'No pool holds a copy of the configuration' : 'The copy of the configuration is old',
      text: `${since === null ? 'None could be written for more than a day' : `The newest is of ${new Date(since).toISOString().slice(0, 10)}`}.${state.problem ? ` ${state.problem}` : ''}`,
      remedy: 'Mount a pool with room on it, or download a copy in the settings and keep it elsewhere.',
    },
  ];
}
