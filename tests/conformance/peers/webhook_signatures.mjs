// Signs and verifies webhooks: `node webhook_signatures.mjs FOLDER FILE`, where the folder has standardwebhooks among its
// node_modules and the file has a JSON list of what is asked.
//
// Prints a JSON list with an answer for each: what was made, `accepted` or `refused`, or `failed: ` and why.

import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, file] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

const verdict = (verified) => (verified ? "accepted" : "refused");

const standard = (it) => {
  const webhook = new Webhook(it.key);
  if (it.do.endsWith("sign")) {
    return webhook.sign(it.id, new Date(Number(it.time.split(".")[0]) * 1000), it.body);
  }
  const fields = { "webhook-id": it.id, "webhook-timestamp": it.time, "webhook-signature": it.signature };
  try {
    webhook.verify(it.body, fields, { jsonParse: false });
    return "accepted";
  } catch (error) {
    if (error instanceof WebhookVerificationError) return "refused";
    throw error;
  }
};

const ed25519 = (it) => {
  const bytes = Buffer.from(it.key.split("_")[1], "base64");
  const text = Buffer.from(`${it.id}.${it.time}.${it.body}`);
  const der = (prefix) => ({ key: Buffer.concat([Buffer.from(prefix, "hex"), bytes]), format: "der" });
  if (it.do.endsWith("sign")) {
    const key = createPrivateKey({ ...der("302e020100300506032b657004220420"), type: "pkcs8" });
    return `v1a,${sign(null, text, key).toString("base64")}`;
  }
  const key = createPublicKey({ ...der("302a300506032b6570032100"), type: "spki" });
  const parts = it.signature.split(" ").map((part) => part.split(","));
  const proves = ([version, signature]) =>
    version === "v1a" && verify(null, text, key, Buffer.from(signature, "base64"));
  return verdict(parts.some(proves));
};

const mac = (it) => {
  const made = createHmac(it.hash, it.key).update(it.text).digest(it.encoding);
  if (it.do.endsWith("sign")) return made;
  const [ours, theirs] = [Buffer.from(made), Buffer.from(it.signature)];
  return verdict(ours.length === theirs.length && timingSafeEqual(ours, theirs));
};

const answer = (it) => {
  try {
    return { standard, ed25519, mac }[it.do.split(" ")[0]](it);
  } catch (error) {
    return `failed: ${error.name} ${error.message}`;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(file, "utf8")).map(answer)));
