// Parse and validate AsyncAPI documents with the official parser; one JSON line per document.
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';

const parser = new Parser();
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(readFileSync(path, 'utf8'), { source: path });
  const problems = diagnostics
    .filter((each) => each.severity <= 1)
    .map((each) => `${each.code} at ${each.path.join('.')}: ${each.message}`);
  const operations = document ? document.operations().all().length : 0;
  console.log(JSON.stringify({ path, parsed: document !== undefined, operations, problems }));
}
