/** The further disks of a new machine, as its form has them. */
import { MOST_VOLUMES, VOLUME_FILESYSTEMS, volumeIssues, type VolumeRequest } from '$lib/shared/vm-volumes';
import { gibToBytes } from './disk-size';

export interface VolumeDraft {
  gib: string;
  filesystem: string;
  label: string;
  mountPoint: string;
}
const FIELDS = { sizeBytes: 'gib', label: 'label', mountPoint: 'mountPoint' } as const;

const isDraft = (value: unknown): value is VolumeDraft => {
  const draft = value as Partial<VolumeDraft> | null;
  const texts = [draft?.gib, draft?.filesystem, draft?.label, draft?.mountPoint];
  return texts.every((one) => typeof one === 'string');
};

export class NewVolumes {
  list = $state<VolumeDraft[]>([]);

  /** As it was kept; what is none of ours is left out. */
  restore(kept: unknown): void {
    this.list = Array.isArray(kept) ? kept.filter(isDraft).slice(0, MOST_VOLUMES) : [];
  }
  add(): void {
    this.list.push({ gib: '10', filesystem: 'ext4', label: '', mountPoint: '' });
  }
  remove(index: number): void {
    this.list.splice(index, 1);
  }
  whyNoMore = $derived(
    this.list.length < MOST_VOLUMES ? null : `A machine has ${MOST_VOLUMES + 1} disks at most.`,
  );

  /** What is not asked for in the form is not sent either. */
  asked(hasLogin: boolean): VolumeRequest[] {
    return this.list.map(({ gib, filesystem: chosen, label, mountPoint }) => {
      const filesystem = VOLUME_FILESYSTEMS.find((one) => one === chosen) ?? 'none';
      const isEmpty = filesystem === 'none';
      return {
        ...{ sizeBytes: gibToBytes(gib), filesystem, label: isEmpty ? '' : label.trim() },
        mountPoint: isEmpty || !hasLogin ? '' : mountPoint.trim(),
      };
    });
  }
  totalBytes = $derived(this.asked(false).reduce((sum, { sizeBytes }) => sum + (sizeBytes || 0), 0));

  /** The first thing that is wrong with each field of each. */
  problems(hasLogin: boolean): Partial<Record<keyof VolumeDraft, string>>[] {
    const issues = volumeIssues(this.asked(hasLogin), hasLogin);
    return this.list.map((_one, index) =>
      Object.fromEntries(
        Object.entries(FIELDS).flatMap(([field, name]) => {
          const found = issues.find((issue) => issue.field === `disks.${index}.${field}`);
          return found ? [[name, found.message]] : [];
        }),
      ),
    );
  }
}
