import { AppError } from '../errors';
import { answer, json } from './answer';

/** What this appliance is, and which of its sources of live change work. */
export const getSystem = answer('viewer', ({ services }) => {
  const view = services.feed.get('system', 'system');
  if (!view) throw new AppError('stopping', 'Cairn is still starting.');
  return json(view);
});
