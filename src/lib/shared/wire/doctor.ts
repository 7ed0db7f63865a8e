/** What the doctor finds: whether this host has all that Cairn needs, and whether what is kept is whole. */

/** note: worth knowing, nothing to do. warning: something does not work, or will not for long. broken: Cairn itself is in danger. */
export const DOCTOR_VERDICTS = ['ok', 'note', 'warning', 'broken'] as const;
export type DoctorVerdict = (typeof DOCTOR_VERDICTS)[number];

export const DOCTOR_GROUPS = ['Cairn', 'Programs', 'Host', 'Machines', 'Records'] as const;
export type DoctorGroup = (typeof DOCTOR_GROUPS)[number];

export interface DoctorCheck {
  /** Stable: `database`, `program:smartctl`, `space:/var/lib/cairn`. */
  id: string;
  group: DoctorGroup;
  title: string;
  verdict: DoctorVerdict;
  /** What was found, a sentence or a version. */
  text: string;
  /** What to do; null: nothing needs to be done. */
  remedy: string | null;
}
/** `GET /api/v1/doctor` */
export interface DoctorReport {
  checkedAt: number;
  /** The worst of all. */
  verdict: DoctorVerdict;
  checks: DoctorCheck[];
}
