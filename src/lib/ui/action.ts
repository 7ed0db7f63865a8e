import type { Component } from 'svelte';

export type IconComponent = Component<{ class?: string; 'aria-hidden'?: 'true' }>;

/** Something that can be done to a thing: the same object feeds buttons, menus and the palette. */
export interface Action {
  /** Stable, for example `pool.unmount`. */
  id: string;
  title: string;
  icon: IconComponent;
  tone?: 'danger';
  /** False where the verb makes no sense for the thing as it is now. */
  shown: boolean;
  /** Why it cannot be done now and what would enable it; null: it can. */
  why: string | null;
  run: () => void;
}

export const shownOnly = (actions: Action[]): Action[] => actions.filter((action) => action.shown);
