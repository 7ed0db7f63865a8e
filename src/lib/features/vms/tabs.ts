/** The pages of a machine. */
export const VM_TABS = [
  { id: 'overview', title: 'Overview' },
  { id: 'console', title: 'Console' },
  { id: 'hardware', title: 'Hardware' },
  { id: 'snapshots', title: 'Snapshots' },
  { id: 'cloud-init', title: 'Cloud-init' },
  { id: 'history', title: 'History' },
  { id: 'definition', title: 'Definition' },
] as const;
export type VmTab = (typeof VM_TABS)[number];

/** @param route such as `/(app)/vms/[id]/console` */
export const tabOf = (route: string | null): VmTab =>
  VM_TABS.find(({ id }) => route?.endsWith(`/${id}`)) ?? VM_TABS[0];

export const tabHref = (vmId: string, id: VmTab['id']): string =>
  id === 'overview' ? `/vms/${vmId}` : `/vms/${vmId}/${id}`;
