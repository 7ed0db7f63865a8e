import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { locateSwitch } from '$lib/server/host/identify';

test('the light of a bay is found where an enclosure has one', () => {
  const sys = mkdtempSync(join(tmpdir(), 'cairn-sys-'));
  onTestFinished(() => rmSync(sys, { recursive: true, force: true }));
  const bay = join(sys, 'block/sda/device/enclosure_device:Slot 03');
  mkdirSync(bay, { recursive: true });
  mkdirSync(join(sys, 'block/sdb/device'), { recursive: true });
  writeFileSync(join(bay, 'locate'), '0\n');
  expect(locateSwitch('sda', sys)).toBe(join(bay, 'locate'));
  expect(locateSwitch('sdb', sys)).toBeNull();
  expect(locateSwitch('sdc', sys)).toBeNull();
});
