/** `btrfs filesystem show --raw`: text to data. */
export interface ShownDevice {
  /** 0 is the target of a replacement that is at work. */
  devid: number;
  /** 0 while what is on it is moved away. */
  sizeBytes: number;
  usedBytes: number;
  /** null: the kernel has no device for it. */
  path: string | null;
}
export interface ShownFilesystem {
  uuid: string;
  totalDevices: number;
  devices: ShownDevice[];
  /** The tool says that devices are missing, listed or not. */
  someMissing: boolean;
}

const DEVICE = /^\s*devid\s+(\d+) size (\d+) used (\d+) path\s?(.*)$/;

/** Older versions leave a missing device out and add a line at the end; newer ones list it with MISSING behind. */
function deviceOf(line: string): ShownDevice | null {
  const match = DEVICE.exec(line);
  if (!match) return null;
  const path = (match[4] ?? '').trim();
  const missing = path === '' || /(^|\s)MISSING$/.test(path) || path.startsWith('<missing disk>');
  return {
    devid: Number(match[1]),
    sizeBytes: Number(match[2]),
    usedBytes: Number(match[3]),
    path: missing ? null : path,
  };
}

/** @throws Error when there is not exactly one filesystem in the text */
export function parseShow(text: string): ShownFilesystem {
  const heads = [...text.matchAll(/^Label: .*\buuid: ([0-9a-f-]{36})\s*$/gm)];
  const totals = /^\s*Total devices (\d+) FS bytes used \d+\s*$/m.exec(text);
  if (heads.length !== 1 || !totals) throw new Error(`${heads.length} filesystems in the answer`);
  const devices = text.split('\n').flatMap((line) => deviceOf(line) ?? []);
  return {
    uuid: heads[0]?.[1] ?? '',
    totalDevices: Number(totals[1]),
    devices,
    someMissing:
      /^\s*\*\*\* Some devices missing/m.test(text) || devices.some((device) => device.path === null),
  };
}
