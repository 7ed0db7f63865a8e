/** More machines than anybody makes one by one: records and domains, without disks of their own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Machines } from './machines.ts';

const idOf = (number: number): string => `5f0d9c6e-1b5a-4c7d-8e2f-${String(number).padStart(12, '0')}`;
const nameOf = (number: number): string => `bench-${number}`;

/** As `web`, which is there and has been started once: numbers `from` to `to`, without it. The appliance is restarted for that. */
export async function fillWith({ appliance, libvirt }: Machines, from: number, to: number): Promise<void> {
  await appliance.kill('SIGTERM');
  const definition = libvirt.virsh('dumpxml', '--inactive', 'web').stdout;
  const folder = join(appliance.dataDir, 'definitions');
  mkdirSync(folder, { recursive: true });
  const db = new Database(join(appliance.dataDir, 'cairn.db'));
  const like = db.prepare("SELECT * FROM vms WHERE name = 'web'").get() as Record<string, unknown>;
  const columns = Object.keys(like);
  const insert = db.prepare(
    `INSERT INTO vms (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
  );
  const commands: string[] = [];
  db.transaction(() => {
    for (let number = from; number < to; number += 1) {
      const spec = { ...(JSON.parse(String(like.spec)) as object), id: idOf(number), name: nameOf(number) };
      insert.run({ ...like, id: idOf(number), name: nameOf(number), spec: JSON.stringify(spec) });
      const text = definition
        .replace(/<name>.*<\/name>/, `<name>${nameOf(number)}</name>`)
        .replace(/<uuid>.*<\/uuid>/, `<uuid>${idOf(number)}</uuid>`)
        .replaceAll(/<mac address=.*\/>/g, '')
        .replaceAll(/<disk type='file' device='disk'>[\s\S]*?<\/disk>/g, '');
      const path = join(folder, `${number}.xml`);
      writeFileSync(path, text);
      commands.push(`define ${path}`);
    }
  })();
  db.close();
  const { status, stderr } = libvirt.virsh(commands.join('; '));
  if (status !== 0) throw new Error(`virsh define: ${stderr}`);
  await appliance.start();
}
