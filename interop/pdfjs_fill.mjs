// Fills a text field with pdf.js and saves the file as its viewer does: an update
// behind the original. For the tests of this folder.
//
//   node pdfjs_fill.mjs FOLDER-OF-PDFJS-DIST IN OUT FIELD VALUE
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [folder, from, to, field, value] = process.argv.slice(2);
console.warn = console.log = () => {}; // it complains about missing fonts and canvases
const pdfjs = await import(pathToFileURL(`${folder}/legacy/build/pdf.mjs`).href);
const data = new Uint8Array(await readFile(from));
const task = pdfjs.getDocument({ data, isEvalSupported: false, useSystemFonts: false, verbosity: 0 });
const doc = await task.promise;
const found = (await doc.getFieldObjects())?.[field];
if (!found) throw new Error(`no field ${field}`);
for (const one of found) doc.annotationStorage.setValue(one.id, { value });
await writeFile(to, await doc.saveDocument());
await task.destroy();
