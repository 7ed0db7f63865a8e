/** How much a layout of a plugin holds and survives, for forms and planners. */
import { optionsSchema } from '$lib/plugin-api/fields';
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Json } from '$lib/shared/json';
import type { CapacityEstimate, CapacityPlan } from '$lib/shared/wire/plugins';
import { AppError } from '../errors';
import { capacityPlan } from './capacity-plan';

export const toleranceText = (tolerance: number): string =>
  tolerance === 0
    ? 'does not survive the loss of a drive'
    : `survives the loss of ${tolerance === 1 ? 'any 1 drive' : `any ${tolerance} drives`}`;

const needsText = (more: number): string => `needs ${more} more ${more === 1 ? 'drive' : 'drives'}`;

interface Asked {
  layout: string;
  options: Record<string, Json>;
  driveSizesBytes: number[];
}

/** A form that is not complete yet counts with defaults. @throws AppError unknown_layout */
function completed(plugin: StoragePlugin, { layout: layoutId, options }: Asked) {
  const layout = plugin.layouts.find((candidate) => candidate.id === layoutId);
  if (!layout) throw new AppError('unknown_layout', `${plugin.name} has no layout "${layoutId}".`);
  const parsed = optionsSchema(plugin.options).safeParse(options);
  const values = parsed.success ? parsed.data : optionsSchema(plugin.options).parse({});
  return { layout, options: values as PoolSpec['options'] };
}

/** @throws AppError unknown_layout */
export function estimateOf(plugin: StoragePlugin, asked: Asked): CapacityEstimate {
  const { layout, options } = completed(plugin, asked);
  const { driveSizesBytes } = asked;
  const enough = driveSizesBytes.length >= layout.minDrives;
  const tolerance = enough ? layout.tolerance(driveSizesBytes.length) : 0;
  return {
    rawBytes: driveSizesBytes.reduce((total, size) => total + size, 0),
    usableBytes: enough ? plugin.usableBytes({ layout: layout.id, options, driveSizesBytes }) : 0,
    tolerance,
    toleranceText: enough ? toleranceText(tolerance) : needsText(layout.minDrives - driveSizesBytes.length),
  };
}

/** @throws AppError unknown_layout */
export function planOf(plugin: StoragePlugin, asked: Asked): CapacityPlan {
  const { layout, options } = completed(plugin, asked);
  const plan = capacityPlan(plugin, layout, options, asked.driveSizesBytes);
  const count = asked.driveSizesBytes.length;
  const text = plan.fits
    ? toleranceText(plan.tolerance)
    : count < layout.minDrives
      ? needsText(layout.minDrives - count)
      : `takes at most ${layout.maxDrives ?? count} drives`;
  return { ...plan, toleranceText: text };
}
