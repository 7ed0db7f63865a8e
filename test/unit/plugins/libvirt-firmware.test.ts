/** What this host can give to machines: UEFI, secure boot and TPMs, and what becomes of it in definitions and plans. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { VmFirmware } from '$lib/plugin-api/vm-extras';
import type { PluginContext } from '$lib/plugin-api/storage';
import type { VmSnapshot, VmSpec } from '$lib/plugin-api/vm';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { movedTo } from '$lib/server/vms/shelf';
import { domainXml } from '$plugins/libvirt/domain-xml';
import { offersOf, parseDescriptor, readDescriptors, tpmFolder } from '$plugins/libvirt/firmware';
import { looksOf } from '$plugins/libvirt/looks';
import { firmwareIn } from '$plugins/libvirt/parse-found';
import makePlugin from '$plugins/libvirt/plugin.server';

const capabilities = readFileSync('test/fixtures/virsh/9.0-domcapabilities.xml', 'utf8');
const folder = '/mnt/tank/machines/web';
const firmware: VmFirmware = {
  ...{ secure: true, loaderPath: '/usr/share/OVMF/CODE.fd', templatePath: '/usr/share/OVMF/VARS.fd' },
  nvramPath: `${folder}/nvram.fd`,
};
const bios: VmSpec = {
  ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', cpus: 2, memoryBytes: 1024 ** 3, folder },
  ...{ virtType: 'kvm', diskPath: `${folder}/disk.qcow2`, diskBytes: 1024 ** 3 },
  ...{ seedPath: null, cdPath: null, asRoot: false },
};
const spec: VmSpec = { ...bios, firmware, tpm: true };
const plugin = makePlugin(sdk);
const names = (steps: sdk.Step[]): string[] => steps.map(({ name }) => name);

let root: string;
const descriptor = (change: object = {}, features = ['acpi-s3']): string =>
  JSON.stringify({
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: join(root, 'code.fd'), format: 'raw' },
      'nvram-template': { filename: join(root, 'vars.fd'), format: 'raw' },
    },
    targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*', 'pc-q35-*'] }],
    features,
    ...change,
  });
const SECURE = ['secure-boot', 'enrolled-keys', 'requires-smm'];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-firmware-'));
  for (const name of ['etc', 'usr']) mkdirSync(join(root, name));
  for (const name of ['code.fd', 'vars.fd']) writeFileSync(join(root, name), '');
});
afterEach(() => rmSync(root, { recursive: true }));
const put = (path: string, text: string): void => writeFileSync(join(root, path), text);
const read = () => readDescriptors([join(root, 'etc'), join(root, 'usr')]);
const offers = (text = capabilities) => offersOf(sdk, sdk.parseXml(text), read());

describe('what the host can give to machines', () => {
  it('is the UEFI that was made for it, and the one with secure boot where its keys are there', () => {
    put('usr/40-secure.json', descriptor({}, SECURE));
    put('usr/50-no-keys.json', descriptor({}, ['secure-boot', 'requires-smm']));
    put('usr/60-plain.json', descriptor());
    const files = { loaderPath: join(root, 'code.fd'), templatePath: join(root, 'vars.fd') };
    expect(offers()).toMatchObject({ uefi: files, 'uefi-secure': files, tpm: { available: true } });
  });
  it('is nothing but BIOS without files, and says which package has them', () => {
    put('usr/60-plain.json', descriptor());
    rmSync(join(root, 'vars.fd'));
    for (const kind of ['uefi', 'uefi-secure'] as const)
      expect(offers()[kind]).toMatchObject({ reason: expect.stringMatching(/no UEFI/), remedy: /ovmf/ });
  });
  it('is no TPM where libvirt has found no swtpm, and says which package has it', () => {
    const without = capabilities.replace('<value>emulator</value>', '');
    expect(offers(without).tpm).toMatchObject({ available: false, remedy: expect.stringContaining('swtpm') });
  });
  it('is no secure boot where libvirt cannot keep its memory from guests', () => {
    put('usr/40-secure.json', descriptor({}, SECURE));
    const without = capabilities.replace(/(<enum name='secure'>\s*)<value>yes<\/value>/, '$1');
    expect(offers(without)['uefi-secure']).toMatchObject({ remedy: expect.stringContaining('newer') });
  });
  it('is a processor of those only that it can give, by their names', () => {
    const { cpuModels } = offers();
    expect(cpuModels).toEqual(expect.arrayContaining(['qemu64', 'Nehalem']));
    expect(cpuModels).not.toContain('phenom');
    expect(new Set(cpuModels).size).toBe(cpuModels.length);
    expect(
      offers(capabilities.replace("name='custom' supported='yes'", "name='custom' supported='no'")),
    ).toMatchObject({
      cpuModels: [],
    });
  });
  it('follows the administrator, who puts a file in the place of another, or takes it away with an empty one', () => {
    put('usr/60-plain.json', descriptor());
    put('etc/60-plain.json', '');
    expect(read()).toEqual([]);
  });
  it.each([
    ['for another processor', { targets: [{ architecture: 'aarch64', machines: ['virt-*'] }] }],
    ['for another machine', { targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*'] }] }],
    ['a BIOS', { 'interface-types': ['bios'] }],
    ['in memory only', { mapping: { device: 'memory', filename: '/x' } }],
  ])('leaves out a firmware that is %s', (_title, change) => {
    expect(parseDescriptor(descriptor(change))).toBeNull();
  });
  it('is an error, with the name of the file, where a descriptor is none, or the answer is another', () => {
    put('usr/60-plain.json', '{');
    expect(read).toThrow(/60-plain\.json/);
    rmSync(join(root, 'usr/60-plain.json'));
    expect(() => offers('<domain/>')).toThrow(/<domain>/);
  });
});

describe('the processor of a machine', () => {
  const cpu = (change: Partial<VmSpec>) =>
    sdk.childOf(sdk.parseXml(domainXml(sdk, { ...bios, ...change })), 'cpu');
  it('is the one of the host, or all that can be emulated, unless another one was chosen', () => {
    expect(cpu({})).toMatchObject({ attributes: { mode: 'host-passthrough' }, children: [] });
    expect(cpu({ virtType: 'qemu' })).toMatchObject({ attributes: { mode: 'maximum' } });
    const chosen = cpu({ cpuModel: 'Nehalem', topology: { sockets: 1, cores: 2, threads: 1 } });
    expect(chosen?.attributes).toMatchObject({ mode: 'custom', match: 'exact' });
    expect(chosen?.children.map(({ name }) => name)).toEqual(['model', 'topology']);
    expect(sdk.childOf(chosen, 'model')).toMatchObject({
      text: 'Nehalem',
      attributes: { fallback: 'forbid' },
    });
  });
});

describe('a machine with secure boot and a TPM', () => {
  const domain = sdk.parseXml(domainXml(sdk, spec));
  it('has them in its definition, and one without has nothing of it', () => {
    expect(sdk.childOf(domain, 'os', 'loader')).toMatchObject({
      attributes: { readonly: 'yes', secure: 'yes', type: 'pflash' },
      text: firmware.loaderPath,
    });
    expect(sdk.childOf(domain, 'os', 'nvram')).toMatchObject({
      attributes: { template: firmware.templatePath },
      text: firmware.nvramPath,
    });
    expect(sdk.childOf(domain, 'features', 'smm')?.attributes).toEqual({ state: 'on' });
    expect(sdk.childOf(domain, 'devices', 'tpm', 'backend')?.attributes).toEqual({
      ...{ type: 'emulator', version: '2.0', persistent_state: 'yes' },
    });
    expect(domainXml(sdk, bios)).not.toMatch(/loader|nvram|smm|tpm/);
    const plain = domainXml(sdk, { ...bios, firmware: { ...firmware, secure: false } });
    expect(plain).toContain('pflash');
    expect(plain).not.toMatch(/secure=|smm/);
  });
  it('is read back from its definition as it was made', () => {
    expect(firmwareIn(sdk, domain)).toEqual(firmware);
    expect(firmwareIn(sdk, sdk.parseXml(domainXml(sdk, bios)))).toBeNull();
  });
  it('gets a file for what its UEFI remembers in its own folder, from the template or from another machine', () => {
    const make = (nvramFrom?: string) =>
      checkVmPlan(
        plugin,
        spec,
        plugin.create(spec, { image: null, seed: null, ...(nvramFrom ? { nvramFrom } : {}) }),
      ).find(({ name }) => name === 'make-nvram');
    expect(make()?.run).toMatchObject({ argv: expect.arrayContaining([`if=${firmware.templatePath}`]) });
    expect(make('/other/nvram.fd')?.run).toMatchObject({
      argv: expect.arrayContaining(['if=/other/nvram.fd', `of=${firmware.nvramPath}`]),
    });
    expect(make()?.undo).toEqual([{ do: 'remove-file', path: firmware.nvramPath }]);
  });
  it('never loses either but when it goes for good, or was never made', () => {
    const argvOf = (steps: sdk.Step[]) => JSON.stringify(steps.map(({ run, undo }) => [run, undo]));
    const [again] = plugin.shelve.recall(spec, null);
    for (const steps of [
      plugin.start(spec),
      again ? [again] : [],
      plugin.destroy(spec, { keepFolder: true }),
    ]) {
      expect(argvOf(steps)).toContain('--keep-nvram');
      expect(argvOf(steps)).toContain('--keep-tpm');
      expect(argvOf(steps)).not.toMatch(/"--nvram"|"--tpm"/);
    }
    const made = plugin.create(spec, { image: null, seed: null }).at(-1);
    expect(argvOf(made ? [made] : [])).toContain('--tpm');
    const gone = checkVmPlan(plugin, spec, plugin.destroy(spec, { keepFolder: false }));
    expect(names(gone)).toEqual([
      ...['switch-off', 'undefine', 'remove-disk', 'remove-nvram', 'remove-states', 'remove-tpm'],
      'remove-folder',
    ]);
    expect(argvOf(gone)).toContain(`/var/lib/libvirt/swtpm/${spec.id}`);
  });
  it('has only what Cairn made deleted', () => {
    const adopted = { ...spec, folder: '', adopted: { disks: [], needs: [] } };
    expect(names(plugin.destroy(adopted, { keepFolder: true }))).toEqual(['switch-off', 'undefine']);
    const elsewhere = { ...spec, firmware: { ...firmware, nvramPath: '/var/lib/libvirt/qemu/nvram/x.fd' } };
    expect(names(plugin.destroy(elsewhere, { keepFolder: false }))).not.toContain('remove-nvram');
  });
  it('has its file moved with its folder', () => {
    expect(movedTo(spec, '/shelf/web').firmware?.nvramPath).toBe('/shelf/web/nvram.fd');
  });
  it('has a folder for its TPM only by a UUID', () => {
    expect(() => tpmFolder({ id: '../../x' })).toThrow(/no UUID/);
  });
});

describe('a snapshot of such a machine', () => {
  const wanted = { name: 'one', description: null };
  const snapshot = { name: 'one', createdAt: 1_795_000_000_000 } as VmSnapshot;
  const facts = {
    ...{ diskPaths: [spec.diskPath], runId: null },
    whole: {
      ...{ definition: domainXml(sdk, spec), current: 'zero', takenAt: 1_795_000_000, targets: ['vda'] },
    },
  };
  const { take, restore, delete: drop } = plugin.snapshots;

  it('holds all of it, in steps that are each taken back, and libvirt is told last', () => {
    const steps = checkVmPlan(plugin, spec, take(spec, wanted, facts));
    expect(names(steps)).toEqual([
      ...['make-sure', 'make-states-folder', 'make-state-folder', 'keep-nvram', 'keep-tpm', 'keep-disk-1'],
      'take-snapshot',
    ]);
    expect(steps.every(({ undo }) => undo !== 'impossible')).toBe(true);
    const tell = steps.at(-1)?.run;
    const told = sdk.parseXml(tell?.do === 'exec' ? (tell.stdin ?? '') : '');
    expect(sdk.childOf(told, 'parent', 'name')?.text).toBe('zero');
    expect(sdk.childOf(told, 'disks', 'disk')?.attributes).toEqual({ name: 'vda', snapshot: 'internal' });
    expect(sdk.childOf(told, 'domain', 'uuid')?.text).toBe(spec.id);
  });
  it('is put back only when copies of all lie beside what they replace', () => {
    const steps = checkVmPlan(plugin, spec, restore(spec, snapshot, facts));
    expect(names(steps)).toEqual([
      ...['note-restore', 'stage-nvram', 'stage-tpm', 'restore', 'put-nvram-back', 'put-tpm-back'],
    ]);
    const point = steps.findIndex(({ undo }) => undo === 'impossible');
    expect(steps[point]?.name).toBe('restore');
    expect(steps.slice(point).every(({ run }) => run.do === 'exec' && !run.program.endsWith('/dd'))).toBe(
      true,
    );
  });
  it('goes with all that it holds, and leaves those of other machines as they were', () => {
    expect(names(checkVmPlan(plugin, spec, drop(spec, snapshot)))).toEqual([
      ...['delete-snapshot', 'drop-nvram', 'drop-tpm', 'drop-state-folder'],
    ]);
    expect(names(drop(bios, snapshot))).toEqual(['delete-snapshot']);
    expect(names(restore(bios, snapshot, { diskPaths: [], runId: null }))).toEqual([
      'note-restore',
      'restore',
    ]);
  });
  it('has copies told apart from what is no whole copy, and from what somebody put there', async () => {
    const look = looksOf(sdk);
    const context = {} as PluginContext;
    const [path, from, as] = ['own', 'own.new', 'kept'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    const same = async () => (await look['same-file'](context, { path: from, as })).status;
    const put = async () => (await look['put-back'](context, { path, from, as })).status;
    writeFileSync(as, 'then');
    writeFileSync(path, 'now');
    expect([await same(), await put()]).toEqual(['absent', 'foreign']);
    writeFileSync(from, 'th');
    expect([await same(), await put()]).toEqual(['partial', 'absent']);
    writeFileSync(from, 'then');
    expect([await same(), await put()]).toEqual(['done', 'absent']);
    renameSync(from, path);
    expect([await same(), await put()]).toEqual(['absent', 'done']);
  });
});
