// Writes src/client/api.d.ts from docs/openapi.json; with --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const TARGET = 'src/client/api.d.ts';
const document = JSON.parse(readFileSync('../docs/openapi.json', 'utf8'));
// Routes are named by their paths here. Operations of the same name in two groups would become one type.
for (const path of Object.values(document.paths)) for (const operation of Object.values(path)) delete operation.operationId;

const text = `// Made from docs/openapi.json by \`npm run api\`.\n\n${astToString(await openapiTS(document))}`;
if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`web/${TARGET} is not what docs/openapi.json says: run \`npm run api\` in web/ and commit it.`);
  process.exit(1);
}
