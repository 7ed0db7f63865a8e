/** What people note about their machines; the form and the server ask the same functions. */
import { naturally } from './natural-order';
import type { Issue } from './error-codes';
import { issueOf } from './issue';

export const MOST_TAGS = 16;
export const LONGEST_NOTES = 10_000;
const TAG = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u;

/** Words between commas or spaces, each once, in small letters and natural order. */
export const tagsIn = (text: string): string[] =>
  [
    ...new Set(
      text
        .toLowerCase()
        .split(/[\s,]+/)
        .filter(Boolean),
    ),
  ].sort(naturally);

/** @returns an issue for each tag that cannot be one, and one for too many */
export const tagIssues = (tags: string[], field = 'tags'): Issue[] => [
  ...(tags.length > MOST_TAGS
    ? [issueOf('tags_too_many', `${tags.length} tags are more than ${MOST_TAGS}.`, field)]
    : []),
  ...tags
    .filter((tag) => !TAG.test(tag))
    .map((tag) => issueOf('tag_invalid', `"${tag}" cannot be a tag.`, field)),
];
