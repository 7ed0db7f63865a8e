import type { ConfigurationCopies, ConfigurationPlace } from '$lib/shared/wire/configuration';
import { adminProcedure, router } from '../init';

export const configurationRouter = router({
  copies: adminProcedure.query(({ ctx }): Promise<ConfigurationCopies> =>
    ctx.services.configuration.copies(),
  ),
  /** To every pool that can take one, now. */
  write: adminProcedure.mutation(({ ctx }): Promise<ConfigurationPlace[]> =>
    ctx.services.configuration.write(true),
  ),
});
