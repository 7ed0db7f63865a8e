/** What every program is started with: none of our own environment, texts in the C locale. */
export const ENVIRONMENT = {
  LC_ALL: 'C',
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  // LVM complains on standard error about every descriptor it inherits.
  LVM_SUPPRESS_FD_WARNINGS: '1',
};

/** A command as one line for messages. */
export const sayCommand = (program: string, argv: string[]): string => [program, ...argv].join(' ');
