import { randomUUID } from 'node:crypto';
import type { Issue } from '$lib/shared/error-codes';
import type { Role } from '$lib/shared/states';
import type { UserView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError, issue } from '../errors';
import type { AuthStore, UserRow } from './store';

const USERNAME = /^[a-z][a-z0-9-]{1,31}$/;

export const usernameIssues = (username: string): Issue[] =>
  USERNAME.test(username)
    ? []
    : [
        issue(
          'username_invalid',
          'A user name has 2 to 32 lower-case letters, digits or dashes and starts with a letter.',
          'username',
        ),
      ];

export function createUsers(store: Pick<AuthStore, 'users' | 'totp'>, clock: Clock) {
  const viewOf = ({ id, username, role, createdAt }: UserRow): UserView => ({
    ...{ id, username, role, createdAt },
    secondFactor: store.totp.get(id) !== undefined,
  });
  const need = (id: string): UserRow => {
    const row = store.users.byId(id);
    if (!row) throw new AppError('user_not_found');
    return row;
  };
  /** Without an administrator nobody could ever make another one. */
  const keepAnAdmin = (row: UserRow): void => {
    if (row.role === 'admin' && store.users.admins() === 1) throw new AppError('last_admin');
  };
  return {
    newRow: (username: string, passwordHash: string, role: Role): UserRow => ({
      id: randomUUID(),
      username,
      passwordHash,
      role,
      createdAt: clock.now(),
    }),
    view: viewOf,
    list: (): UserView[] => store.users.list().map(viewOf),
    /** @throws AppError username_taken */
    add(row: UserRow): UserView {
      if (!store.users.insert(row))
        throw new AppError('username_taken', `The user name ${row.username} is taken.`, {
          issues: [issue('username_taken', `The user name ${row.username} is taken.`, 'username')],
        });
      return viewOf(row);
    },
    /** @throws AppError user_not_found | last_admin */
    setRole(id: string, role: Role): UserView {
      const row = need(id);
      if (role !== 'admin') keepAnAdmin(row);
      store.users.setRole(id, role);
      return viewOf({ ...row, role });
    },
    /** @throws AppError user_not_found | last_admin */
    remove(id: string): void {
      keepAnAdmin(need(id));
      store.users.remove(id);
    },
  };
}
export type Users = ReturnType<typeof createUsers>;
