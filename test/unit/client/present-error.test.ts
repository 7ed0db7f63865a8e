import { describe, expect, it } from 'vitest';
import { fieldError, otherIssues, presentError } from '$lib/client/present-error';

const fromServer = (appError: Record<string, unknown>) =>
  Object.assign(new Error('x'), { data: { appError } });

describe('presenting an error', () => {
  it('shows the title of the code, the message and the remedy of the server', () => {
    const error = presentError(
      fromServer({
        code: 'label_duplicate',
        message: 'Another pool is called tank',
        remedy: 'Take another.',
        issues: [],
      }),
    );
    expect(error).toMatchObject({
      code: 'label_duplicate',
      title: 'Another pool has this label',
      message: 'Another pool is called tank.',
      remedy: 'Take another.',
    });
  });

  it('gives the default advice of the code when the server has none', () => {
    const error = presentError(
      fromServer({ code: 'no_drives', message: 'No drive.', remedy: null, issues: [] }),
    );
    expect(error.remedy).toBe('Choose at least one drive.');
  });

  it('says that it is not known what happened when no answer came', () => {
    expect(presentError(new Error('socket closed'))).toMatchObject({ code: 'offline' });
    expect(presentError({ data: { appError: { code: 1 } } }).code).toBe('offline');
    expect(presentError(null).code).toBe('offline');
  });

  it('treats a code of a newer server as a fault of Cairn and keeps its sentence', () => {
    expect(
      presentError(fromServer({ code: 'from_tomorrow', message: 'Who knows?', issues: [] })),
    ).toMatchObject({
      code: 'bug',
      message: 'Who knows?',
    });
  });

  it('puts the first issue of a field beside that field and the others above the form', () => {
    const error = presentError(
      fromServer({
        code: 'invalid_input',
        message: 'Two things.',
        issues: [
          { field: 'request.label', code: 'label_empty', message: 'The label is empty.' },
          { field: 'request.label', code: 'label_invalid', message: 'later' },
          { field: 'drives.0', code: 'drive_gone', message: 'It is gone.' },
          { code: 'locked', message: 'Busy.' },
        ],
      }),
    );
    expect(fieldError(error, 'label')).toBe('The label is empty.');
    expect(fieldError(error, 'mountPath')).toBeNull();
    expect(fieldError(null, 'label')).toBeNull();
    expect(otherIssues(error, ['label']).map((issue) => issue.code)).toEqual(['drive_gone', 'locked']);
  });
});
