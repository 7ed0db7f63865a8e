// better-sqlite3 crashes without a word under an older Node: say it in one sentence instead.
if (Number(process.versions.node.split('.')[0]) < 24)
  throw new Error(`Tests need Node 24; this is ${process.version}. Run them with npm test or npx vitest.`);
