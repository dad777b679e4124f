// What jose says of tokens: `node jwt_verdicts.mjs FOLDER FILE`, where the folder has jose among its node_modules.
//
// The lines of the file and of the answer are those of jwt_verdicts.py, and so are the rules.
// `why` is jose's code of the error.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Node 18 has it under this name only.
globalThis.crypto ??= webcrypto;

const [folder, file] = process.argv.slice(2);
const entry = createRequire(resolve(folder, "package.json")).resolve("jose");
const { importJWK, jwtVerify } = await import(pathToFileURL(entry));

const keys = new Map();

// A key is imported once, as an application would.
async function kept({ key, algorithm }) {
  const name = `${algorithm} ${key.kid}`;
  if (!keys.has(name)) keys.set(name, await importJWK(key, algorithm));
  return keys.get(name);
}

for (const line of readFileSync(file, "utf8").split("\n")) {
  if (line === "") continue;
  const { id, token, key, algorithm, now } = JSON.parse(line);
  const answer = { id, verdict: "accepted", why: "" };
  const known = await kept({ key, algorithm });
  try {
    await jwtVerify(token, known, {
      algorithms: [algorithm],
      requiredClaims: ["exp"],
      clockTolerance: 0,
      currentDate: new Date(now * 1000),
    });
  } catch (error) {
    answer.verdict = "refused";
    answer.why = error.code ?? error.name;
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
