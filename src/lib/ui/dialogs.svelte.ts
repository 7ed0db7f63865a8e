/** The one dialog of the page. Its code is fetched when it is opened. */
import type { Component } from 'svelte';

interface Open {
  component: Component<Record<string, unknown>>;
  props: Record<string, unknown>;
}
let current = $state.raw<Open | null>(null);

export const dialogs = {
  get current(): Open | null {
    return current;
  },
  close(): void {
    current = null;
  },
  /** @param load imports the component; it gets `props` and `onclose` */
  async open<P extends { onclose: () => void }>(
    load: () => Promise<{ default: Component<P> }>,
    props: Omit<P, 'onclose'>,
  ): Promise<void> {
    const { default: component } = await load();
    current = {
      component: component as unknown as Open['component'],
      props: props as Record<string, unknown>,
    };
  },
};
