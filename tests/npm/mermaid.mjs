// usage: node mermaid.mjs FILE…
// What Mermaid reads in flowcharts, as JSON: one object a file, with the labels as they are shown.

import { readFile } from 'node:fs/promises';
import { JSDOM } from 'jsdom';

// Mermaid cleans texts in the page that it runs in.
const { window } = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');

// Mermaid keeps `#34;` in a form of its own until it draws.
const shown = (text) =>
  text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));

const read = async (file) => {
  try {
    const text = await readFile(file, 'utf8');
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const vertices = [...db.getVertices().values()];
    return {
      file,
      nodes: vertices.map(({ id, text, classes }) => ({ id, text: shown(text), class: classes.join(' ') })),
      edges: db.getEdges().map(({ start, end, stroke }) => ({ start, end, stroke })),
    };
  } catch (error) {
    return { file, error: error.message };
  }
};

for (const file of process.argv.slice(2)) console.log(JSON.stringify(await read(file)));
