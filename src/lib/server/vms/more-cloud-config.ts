/** Cloud-config that somebody adds to what Cairn writes: read before it is used, so that what is wrong is said by name. Pure. */
import { parseDocument } from 'yaml';
import { issueOf } from '$lib/shared/issue';
import type { Issue } from '$lib/shared/error-codes';

/** Written by Cairn from what the form asks. */
const OURS = ['hostname', 'users', 'ssh_pwauth', 'packages', 'package_update', 'chpasswd'];
const FIELD = 'cloudInit.more';

interface MoreConfig {
  content: Record<string, unknown>;
  issues: Issue[];
}
const wrong = (code: 'cloud_config_invalid' | 'cloud_config_taken', message: string): MoreConfig => ({
  content: {},
  issues: [issueOf(code, message, FIELD)],
});

/** @param hasMounts disks are mounted: that list is ours too. A mapping of YAML 1.2, with or without its first line `#cloud-config`; nothing at all is an empty one. */
export function readMoreConfig(text: string, hasMounts = false): MoreConfig {
  if (text.trim() === '') return { content: {}, issues: [] };
  if (/^#(?!cloud-config\s*$)(!|include|cloud-|part-)/.test(text.split('\n')[0] ?? ''))
    return wrong('cloud_config_invalid', 'It begins as another kind of user data, which is not merged.');
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) return wrong('cloud_config_invalid', problem.message.split('\n')[0] ?? '');
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return wrong('cloud_config_invalid', error instanceof Error ? error.message : String(error));
  }
  if (content === null) return { content: {}, issues: [] };
  if (typeof content !== 'object' || Array.isArray(content))
    return wrong('cloud_config_invalid', 'It is no mapping of names to values.');
  const taken = [...OURS, ...(hasMounts ? ['mounts'] : [])].find((key) => Object.hasOwn(content, key));
  return taken === undefined
    ? { content: content as Record<string, unknown>, issues: [] }
    : wrong('cloud_config_taken', `"${taken}" is written from the fields above.`);
}
