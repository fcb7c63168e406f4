// The peer: ajv 8, its compiled function, JSON.parse.
//
// validate.mjs SCHEMA EVENTS     prints {"valid": N, "invalid": N}
import { createReadStream, readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [schema, events] = process.argv.slice(2);
const ajv = new Ajv2020({ strict: false });
addFormats(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
let valid = 0;
let invalid = 0;
let rest = "";
// Large blocks, split by hand: node's readline takes longer than all the rest.
for await (const block of createReadStream(events, { encoding: "utf8", highWaterMark: 1 << 20 })) {
  const text = rest + block;
  let start = 0;
  for (let end; (end = text.indexOf("\n", start)) >= 0; start = end + 1) {
    if (validate(JSON.parse(text.slice(start, end)))) valid++;
    else invalid++;
  }
  rest = text.slice(start);
}
console.log(JSON.stringify({ valid, invalid }));
