// usage: node asyncapi.mjs FILE…
// What the official parser says about AsyncAPI documents, as JSON: one object a file.

import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const ERROR = 0;
const WARNING = 1;

const judge = async (file) => {
  const text = await readFile(file, 'utf8');
  const { document, diagnostics } = await new Parser().parse(text);
  const complaints = diagnostics
    .filter(({ severity }) => severity === ERROR || severity === WARNING)
    .map(({ message, path }) => `${path.join('.')}: ${message}`);
  if (!document) return { file, complaints };
  return {
    file,
    complaints,
    title: document.info().title(),
    servers: document.servers().all().map((server) => `${server.protocol()}://${server.host()}`),
    channels: document.channels().all().map((channel) => channel.address()),
    operations: document.operations().all().map((operation) => operation.id()),
    examples: document.allMessages().all().flatMap(examples),
  };
};

// The parser does not hold the examples of AsyncAPI 3 against their schemas.
const examples = (message) =>
  message.examples().all().map((example) => {
    const wrong = [
      ...violations(message.payload()?.json(), example.payload()),
      ...violations(message.headers()?.json(), example.headers()),
    ];
    return { message: message.name(), wrong };
  });

const violations = (schema, value) => {
  if (schema === undefined || value === undefined) return [];
  const ajv = new Ajv({ strict: false, allErrors: true, schemaId: 'none' });
  addFormats(ajv);
  ajv.addFormat('binary', true);
  return ajv.validate(schema, value) ? [] : ajv.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
};

for (const file of process.argv.slice(2)) console.log(JSON.stringify(await judge(file)));
