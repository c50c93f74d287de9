#!/usr/bin/env node
// In a checkout the sources run as they are; an installed package carries dist only.
import { existsSync } from "node:fs";
import * as module from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `mageflow needs Node 24.15 or newer; this is ${process.version}. Install a newer Node and try again.`,
  );
  process.exit(1);
}

// npm runs the scripts of the checkout in its root, but paths are meant from where somebody typed them.
const { npm_package_json: manifest, npm_lifecycle_event: script, INIT_CWD: typedIn } = process.env;
const isOwnScript = manifest === fileURLToPath(new URL("../../../package.json", import.meta.url));
if (isOwnScript && ["mageflow", "demo"].includes(script) && typedIn !== undefined) process.chdir(typedIn);

const source = new URL("../src/main.ts", import.meta.url);
if (existsSync(source)) {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@mageflow/source"] }),
  });
  await import(source.href);
} else {
  await import("../dist/main.js");
}
