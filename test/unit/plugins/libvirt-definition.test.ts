import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PluginContext } from '$lib/plugin-api/storage';
import type { VmSpec } from '$lib/plugin-api/vm';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { bootKeys, editStep, partText, topologyOf, withBoot, withCpus } from '$plugins/libvirt/definition';
import { domainXml } from '$plugins/libvirt/domain-xml';
import { looksOf } from '$plugins/libvirt/looks';
import makePlugin from '$plugins/libvirt/plugin.server';

const plugin = makePlugin(sdk);
const text = readFileSync('test/fixtures/virsh/9.0-two-disks.xml', 'utf8');
/** With what only a person with a shell has put there. */
const odd = text
  .replace(
    '</devices>',
    "<sound model='ich9'/><hostdev mode='subsystem' type='usb'><boot order='9'/></hostdev></devices>",
  )
  .replace('<os>', "<os><boot dev='hd'/>")
  .replace('</domain>', "<q:commandline xmlns:q='urn:q'><q:arg value='-x &lt;y'/></q:commandline></domain>");
const domain = sdk.parseXml(odd);
const spec: VmSpec = {
  ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', cpus: 4, memoryBytes: 1024 ** 3 },
  ...{ virtType: 'kvm', folder: '/mnt/tank/machines/web', diskPath: '/mnt/tank/machines/web/disk.qcow2' },
  ...{ diskBytes: 10 * 1024 ** 3, seedPath: null, cdPath: null, asRoot: false },
};
const says = (stdout: string) =>
  ({ read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) }) as unknown as PluginContext;
const four = { sockets: 2, cores: 2, threads: 1 };

describe('CPUs that are arranged', () => {
  it('are in the definition of a new machine', () => {
    const made = sdk.parseXml(domainXml(sdk, { ...spec, topology: four }));
    expect(topologyOf(sdk, made)).toEqual(four);
    expect(topologyOf(sdk, sdk.parseXml(domainXml(sdk, spec)))).toBeNull();
  });
  it('are all that is changed, and taken away again', () => {
    const changed = withCpus(sdk, domain, 4, four);
    expect(partText(sdk, 'cpus', changed)).toBe('4 of 4, 2x2x1');
    expect(sdk.xmlText(changed)).toContain('<q:arg value="-x &lt;y"/>');
    const back = withCpus(sdk, changed, 1, null);
    expect(sdk.xmlText(back)).toBe(sdk.xmlText(withCpus(sdk, domain, 1, null)));
    const bare = sdk.parseXml('<domain><vcpu current="1">2</vcpu><vcpus/></domain>');
    expect(sdk.xmlText(withCpus(sdk, bare, 4, four))).toBe(
      '<domain><vcpu>4</vcpu><cpu><topology sockets="2" cores="2" threads="1"/></cpu></domain>',
    );
  });
  it('are changed with their number in one step, and by verbs where none are arranged', () => {
    const facts = {
      ...{ 'vcpu.current': 1, 'vcpu.maximum': 1, 'balloon.current': 32_768, 'balloon.maximum': 32_768 },
      ...{ definition: odd, why: null, topology: null },
    };
    const plan = (topology: typeof four | null, has: typeof four | null = null) =>
      checkVmPlan(
        plugin,
        spec,
        plugin.resize.plan(
          spec,
          { cpus: 4, memoryBytes: 64 * 1024 ** 2, topology },
          { ...facts, topology: has },
        ),
      ).map(({ name }) => name);
    expect(plan(four)).toEqual(['arrange-cpus', 'set-most-memory', 'set-memory']);
    expect(plan(null, four)[0]).toBe('arrange-cpus');
    expect(plan(null)[0]).toBe('set-most-cpus');
    expect(plugin.resize.topologyWhy({ ...facts, why: 'It holds a password.' })).toBe('It holds a password.');
  });
  it('are refused for a definition that holds a password: it would be lost, or written down', async () => {
    const facts = async (hidden: string, whole: string) =>
      plugin.resize.facts(
        {
          read: (_program: string, argv: string[]) =>
            Promise.resolve({
              stdout: argv.includes('domstats')
                ? readFileSync('test/fixtures/virsh/9.0-size.txt', 'utf8')
                : argv.includes('--security-info')
                  ? whole
                  : hidden,
            }),
        } as unknown as PluginContext,
        spec,
      );
    expect(await facts(text, text)).toMatchObject({ why: null, topology: null });
    const { why, definition } = await facts(text, text.replace('<graphics', "<graphics passwd='geheim'"));
    expect(why).toMatch(/holds a password/);
    expect(definition).not.toContain('geheim');
  });
});

describe('the order in which a machine looks for a system', () => {
  const keys = ['interface:52:54:00:3f:0d:9c', 'disk:sda', 'disk:vda'];
  it('is that of its devices, others after them, and all else stays', () => {
    const changed = withBoot(sdk, domain, keys);
    expect(bootKeys(sdk, changed)).toEqual([...keys, expect.stringMatching(/^hostdev:/)]);
    expect(sdk.childOf(changed, 'os', 'boot')).toBeUndefined();
    expect(sdk.xmlText(changed)).toContain('<sound model="ich9"/>');
    expect(partText(sdk, 'cpus', changed)).toBe(partText(sdk, 'cpus', domain));
  });
});

describe('a step that changes a definition', () => {
  const step = editStep(sdk, {
    ...{ id: spec.id, part: 'cpus', name: 'arrange-cpus', title: 'x', was: odd },
    is: withCpus(sdk, domain, 4, four),
  });
  const status = async (stdout: string) =>
    (await looksOf(sdk).definition(says(stdout), step.look.args)).status;
  const asText = (node: sdk.XmlNode) => sdk.xmlText(node);

  it('is done, not yet done, or not to be done over what somebody else has changed since', async () => {
    expect(await status(odd)).toBe('absent');
    expect(await status(asText(withCpus(sdk, domain, 4, four)))).toBe('done');
    expect(await status(odd.replace('ich9', 'ich6'))).toBe('foreign');
    expect(await status(asText(withCpus(sdk, domain, 3, null)))).toBe('foreign');
    await expect(status('error: no such machine')).rejects.toThrow();
  });
  it('puts back the very text that there was', () => {
    expect(step.undo).toEqual([expect.objectContaining({ stdin: odd })]);
  });
});
